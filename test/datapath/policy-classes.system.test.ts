// The classes of cyclonus' cases (test/model/policy-classes) with real packets: in every step, every pod asks every other one over TCP and UDP at both ports, at
// its own address and at its Service's. Two peers in one rule are asked of the compiled maps alone, and so is SCTP.
import { afterAll, beforeAll, expect, test } from "vitest";
import { classesAround } from "../model/policy-classes/classes.ts";
import { CONTAINER_PORTS, reaches, START, type State } from "../model/policy-classes/state.ts";
import { type Asked, BareCluster, type From } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, namespace, pod, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

/** Of an answer that must not come. One that must come may take its time: the machine may be busy. */
const SILENCE_MS = 300;
const PATIENCE_MS = 30_000;
const LISTENS = ["--tcp", "80,81", "--udp", "80,81"];
const SERVED = CONTAINER_PORTS.filter(({ protocol }) => protocol !== "SCTP");
const TARGETS = [
  { protocol: "TCP", port: 80, byService: true },
  { protocol: "TCP", port: 81, byService: false },
  { protocol: "UDP", port: 80, byService: false },
  { protocol: "UDP", port: 81, byService: true },
] as const;

let cluster: BareCluster;
const placed = new Map<string, Placed>();
const clusterIps = new Map<string, string>();
let now: State = { policies: [], namespaces: {}, pods: {} };

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  await become(START);
});
afterAll(() => cluster?.close());

const placeOf = (name: string): Placed => {
  const found = placed.get(name);
  if (!found) throw new Error(`no pod ${name}`);
  return found;
};
const namespaceObject = (name: string, labels: Readonly<Record<string, string>>): KubernetesObject => {
  const object = namespace(name);
  return { ...object, metadata: { ...object.metadata, labels: { "kubernetes.io/metadata.name": name, ...labels } } };
};
const policyObject = (policy: State["policies"][number]): KubernetesObject => ({
  ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
  ...policy,
});

/** A Service of one pod, with all that it serves. */
function serviceOf(name: string, backend: Placed): KubernetesObject[] {
  const clusterIP = clusterIps.get(name) ?? `10.96.1.${clusterIps.size + 1}`;
  clusterIps.set(name, clusterIP);
  const ports = SERVED.map(({ name: port, containerPort, protocol }) => ({
    name: port,
    protocol,
    port: containerPort,
  }));
  const metadata = { name: name.replace("/", "-"), namespace: "default" };
  const slice = { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } };
  return [
    service(metadata.name, { clusterIP, nodePort: 0, spec: { type: "ClusterIP", ports } }),
    {
      ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: slice, addressType: "IPv4", ports },
      endpoints: [{ addresses: [backend.address], nodeName: backend.node, conditions: { ready: true } }],
    },
  ];
}

/** Makes the cluster so, with as few changes as tell it from what it was. */
async function become(state: State): Promise<void> {
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  for (const [name, labels] of Object.entries(state.namespaces))
    if (!isSame(now.namespaces[name], labels)) cluster.apply(namespaceObject(name, labels));
  const kept = new Set(state.policies.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  cluster.apply(...state.policies.map(policyObject));
  const gone = now.policies.filter(({ metadata }) => !kept.has(`${metadata.namespace}/${metadata.name}`));
  cluster.remove(...gone.map(policyObject));
  for (const name of Object.keys(now.pods).filter((one) => !state.pods[one])) {
    cluster.remove(...serviceOf(name, placeOf(name)));
    await cluster.removePod(name.replace("/", "."));
    placed.delete(name);
  }
  await Promise.all(
    Object.entries(state.pods).map(async ([name, labels], index) => {
      const [of = "", own = ""] = name.split("/");
      const wanted = {
        name: own,
        namespace: of,
        node: index % 2 ? "node" : "master",
        address: "",
        ports: SERVED,
      } as const;
      const before = placed.get(name);
      const after = before ? { ...before, labels } : await cluster.placePod({ ...wanted, labels }, LISTENS);
      placed.set(name, after);
      if (before && !isSame(before.labels, labels)) cluster.apply(pod(after));
      if (!before) cluster.apply(...serviceOf(name, after));
    }),
  );
  const left = Object.entries(now.namespaces).filter(([name]) => !state.namespaces[name]);
  cluster.remove(...left.map(([name, labels]) => namespaceObject(name, labels)));
  now = state;
  await cluster.carriedOut();
}

/** The pairs that see something else than the documentation says, in words. */
async function wrong(state: State): Promise<{ wrong: string[]; refused: number; packets: number }> {
  const names = Object.keys(state.pods);
  const rows = await Promise.all(
    names.map(async (from) => {
      const others = names.filter((name) => name !== from);
      const asked = others.flatMap((to) =>
        TARGETS.map(({ byService, ...target }) => ({
          ...{ to, target, byService },
          right: reaches(state, (name) => placeOf(name).address, [from, to], target),
        })),
      );
      const probes = asked.map(({ to, target, byService, right }): Asked => {
        const address = byService ? clusterIps.get(to) : placeOf(to).address;
        const protocol = target.protocol === "TCP" ? "tcp" : "udp";
        return { to: `${address}:${target.port}`, protocol, timeoutMs: right ? PATIENCE_MS : SILENCE_MS };
      });
      const results = await cluster.probe(from as From, ...probes);
      return asked.map((row, index) => ({ ...row, from, seen: results[index] }));
    }),
  );
  const all = rows.flat();
  const differing = all.flatMap(({ from, to, target, byService, right, seen }) => {
    const says = seen?.verdict === "allowed" && seen.server === to ? "allowed" : (seen?.verdict ?? "nothing");
    const said = right ? "allowed" : "dropped";
    if (says === said) return [];
    return [
      `${from} → ${to} ${target.protocol} ${target.port}${byService ? " by its Service" : ""}: expected ${said}, saw ${says}`,
    ];
  });
  return { wrong: differing, refused: all.filter(({ right }) => !right).length, packets: all.length };
}

const CLASSES = Object.entries(classesAround("0.0.0.0")).filter(([name]) => name !== "two peers");

test.each(CLASSES.map(([name]) => name))("%s", async (name) => {
  const cases = classesAround(placeOf("z/c").address)[name] ?? [];
  const [found, total] = [[] as string[], { refused: 0, packets: 0 }];
  for (const one of cases)
    for (const [index, state] of one.steps.entries()) {
      await become(state);
      const seen = await wrong(state);
      total.refused += seen.refused;
      total.packets += seen.packets;
      found.push(...seen.wrong.map((text) => `${one.name}, step ${index + 1}: ${text}`));
    }
  expect(found).toEqual([]);
  expect(total.refused).toBeGreaterThan(0);
  expect(total.packets).toBeGreaterThan(total.refused);
});
