// What is wrong with objects is told once, as an Event of the object, by agents that all find it: also when they start again, and when the object changes
// faster than it can be applied.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, type KubernetesObject, nodes, service } from "./cluster/objects.ts";

interface Event {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly involvedObject: {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
    readonly fieldPath: string;
  };
  readonly message: string;
}

let cluster: BareCluster;

beforeAll(async () => {
  cluster = await BareCluster.start({ server: true });
});
afterAll(() => cluster?.close());

/** Of objects in the namespace `default`: "Service a, spec.ports[0].port: …", sorted. */
async function told(): Promise<string[]> {
  const { items } = await cluster.at<{ items: Event[] }>("/api/v1/namespaces/default/events");
  return items
    .filter(({ involvedObject }) => ["Service", "EndpointSlice"].includes(involvedObject.kind))
    .map(({ involvedObject: { kind, name }, message }) => `${kind} ${name}, ${message}`)
    .sort();
}

const cluster96 = (last: number) => `10.96.3.${last}`;
const spoilt = (object: KubernetesObject, spec: Record<string, unknown>): KubernetesObject => ({
  ...object,
  spec: { ...(object["spec"] as object), ...spec },
});
const exposed = (name: string, last: number, nodePort: number, spec: Record<string, unknown> = {}) =>
  spoilt(service(name, { clusterIP: cluster96(last), nodePort }), spec);

/** Objects that no API server would take, and ones that contradict each other. */
const faulty: [what: string, objects: KubernetesObject[], told: RegExp[]][] = [
  [
    "port 0",
    [exposed("zero", 1, 30_901, { ports: [{ name: "web", protocol: "TCP", port: 0, nodePort: 30_901 }] })],
    [/^Service zero, spec\.ports\[0\]\.port: must be at least 1; it is left out until it is fixed\.$/],
  ],
  [
    "an endpoint of the wrong family",
    [exposed("family", 2, 30_902), endpoints("family", [{ address: "fd00:10:244::1", node: "node" }])],
    [/^EndpointSlice family-1, endpoints\[0\]\.addresses\[0\]: .*is no IPv4 address/],
  ],
  [
    "a node port that another Service has",
    [exposed("first", 3, 30_903), exposed("second", 4, 30_903)],
    [/^Service second, .*30903/],
  ],
  [
    "an address that another Service has",
    [exposed("owner", 5, 30_905), exposed("thief", 5, 30_906)],
    [/^Service thief, .*10\.96\.3\.5/],
  ],
  [
    "slices that disagree about the same endpoint",
    [
      exposed("torn", 7, 30_907),
      endpoints("torn", [{ address: "10.244.0.5", node: "master" }]),
      {
        ...endpoints("torn", [{ address: "10.244.0.5", node: "node" }]),
        metadata: { ...endpoints("torn", []).metadata, name: "torn-2" },
      },
    ],
    [],
  ],
  [
    "an endpoint that is another Service's address",
    [exposed("alias", 6, 30_911), endpoints("alias", [{ address: cluster96(5), node: "node" }])],
    [
      /^EndpointSlice alias-1, endpoints\[0\]\.addresses\[0\]: 10\.96\.3\.5 is in the network of cluster IPs, 10\.96\.0\.0\/12/,
    ],
  ],
  [
    "more ports than a Service may have",
    [
      exposed("large", 8, 30_908, {
        ports: Array.from({ length: 20_000 }, (_, at) => ({ name: `p${at}`, protocol: "TCP", port: at + 1 })),
      }),
    ],
    [/^Service large, spec: has more than 4096 addresses and ports/],
  ],
];

test("each fault once, whichever agents find it and however often it comes; the last state of an object is in force", async () => {
  const web = await cluster.addPod("web", "node", { app: "web" });
  cluster.apply(...faulty.flatMap(([, objects]) => objects));
  const expected = faulty.flatMap(([what, , lines]) => lines.map((line) => [what, line] as const));
  await until("all faults to be told", async () => (await told()).length >= expected.length);

  // Faster than it can be applied, and not the same fault each time.
  const changing = (port: number) =>
    exposed("changing", 9, 30_909, {
      ports: [{ name: "web", protocol: "TCP", port, targetPort: 80, nodePort: 30_909 }],
    });
  for (let round = 0; round < 200; round++) cluster.apply(changing(round % 2 === 0 ? 0 : 70_000));
  cluster.apply(changing(80), endpoints("changing", [web]));
  await until("the last state", async () =>
    (await cluster.see("client1", `${nodes.master}:30909`)).startsWith("allowed"),
  );

  expect(await cluster.see("client1", `${nodes.master}:30911`)).toBe("rejected");

  // An agent that starts again finds all of it again. What it tells it has told once it tells of another one.
  await cluster.endAgent("node");
  await cluster.startAgent("node");
  cluster.apply(exposed("last", 10, 30_910, { ports: [{ name: "web", protocol: "TCP", port: 0, nodePort: 30_910 }] }));
  await until("the last fault to be told", async () => (await told()).some((line) => line.startsWith("Service last,")));

  const lines = (await told()).filter((line) => !line.startsWith("Service last,"));
  for (const [what, line] of expected)
    expect(
      lines.filter((one) => line.test(one)),
      what,
    ).toHaveLength(1);
  const others = lines.filter((one) => !expected.some(([, line]) => line.test(one)));
  // Each fault of the changing one was told at most once, or its agent was too slow to see it.
  expect(
    others.filter((one) => !/^Service changing, spec\.ports\[0\]\.port: must be at (least 1|most 65535)/.test(one)),
  ).toEqual([]);
  expect(new Set(lines).size).toBe(lines.length);
});
