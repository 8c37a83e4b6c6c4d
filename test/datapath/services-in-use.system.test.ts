// Long-lived flows of clients while people change everything about the Service that they use.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, nodes, nodesIpv6, returnMode } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { allGoOn, holdFlows } from "./traffic/moving.ts";
import { serveEchoes } from "./traffic/serving.ts";

const PORTS = { tcp: 30882, udp: 30880 };
const COUNT = 4;
/** Of a Service with both families; clients reach it at a node's own address, too. */
const external = { IPv4: nodes.node, IPv6: nodesIpv6.node };

let cluster: BareCluster;
let backends: Placed[];

beforeAll(async () => {
  cluster = await BareCluster.start({ stack: "dual" });
  backends = await Promise.all([
    cluster.addPod("near", "master", { app: "flows" }),
    cluster.addPod("far", "node", { app: "flows" }),
    cluster.addPod("other", "node", { app: "flows" }),
  ]);
  for (const pod of backends) await serveEchoes(cluster, pod);
});
afterAll(() => cluster?.close());

interface Change {
  readonly annotations?: Record<string, string>;
  readonly spec?: Record<string, unknown>;
  readonly ports?: readonly object[];
}

const ports = [
  { name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: PORTS.tcp },
  { name: "dns", protocol: "UDP", port: 80, targetPort: 80, nodePort: PORTS.udp },
];

function flows({ annotations = {}, spec = {}, ports: others = ports }: Change = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "flows", namespace: "default", uid: "flows", annotations },
    spec: {
      type: "NodePort",
      clusterIP: "10.96.0.50",
      clusterIPs: ["10.96.0.50", "fd00:10:96::50"],
      ipFamilies: ["IPv4", "IPv6"],
      ipFamilyPolicy: "RequireDualStack",
      externalIPs: Object.values(external),
      ports: others,
      ...spec,
    },
  };
}

/** @param split the backends of each slice: one that is in two is one */
function slices(split: readonly Placed[][], of = "flows"): KubernetesObject[] {
  return split.flatMap((pods, index) =>
    (["IPv4", "IPv6"] as const).map((family) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${of}-${family.toLowerCase()}-${index}`,
        namespace: "default",
        uid: `${of}-${family}-${index}`,
        labels: { "kubernetes.io/service-name": of },
      },
      addressType: family,
      ports: [
        { name: "echo", protocol: "TCP", port: 82 },
        { name: "dns", protocol: "UDP", port: 80 },
      ],
      endpoints: pods.map(({ address, addressIpv6, node }) => ({
        addresses: [family === "IPv4" ? address : addressIpv6],
        nodeName: node,
        conditions: { ready: true, serving: true, terminating: false },
      })),
    })),
  );
}

describe.each(["DSR", "Tunnel"] as const)("flows through node ports and a node's address, return mode %s", (mode) => {
  test("go on, each with its backend, while everything about their Service changes", async () => {
    const whole = slices([backends]);
    cluster.apply(returnMode(mode), flows(), ...whole);
    await cluster.carriedOut();
    const held = [
      holdFlows(cluster, nodes.master, COUNT, PORTS),
      holdFlows(cluster, nodesIpv6.master, COUNT, PORTS),
      holdFlows(cluster, external.IPv4, COUNT),
      holdFlows(cluster, external.IPv6, COUNT),
    ];
    const begun = () => held.every((seen) => seen()?.tcp.every(Boolean) && seen()?.udp.every(Boolean));
    await until(
      "the flows",
      async () => begun(),
      () => JSON.stringify(held.map((seen) => seen())),
    );
    const goOn = async (what: string) => {
      await cluster.carriedOut();
      for (const seen of held) {
        const before = seen();
        if (!before) throw new Error("a client has ended");
        await until(
          `the flows ${what}`,
          async () => allGoOn(before, seen()),
          () => JSON.stringify([before, seen()]),
        );
        expect(seen()?.ended, what).toEqual([]);
      }
    };
    const [one, two, three] = backends as [Placed, Placed, Placed];
    const changes: [string, Change][] = [
      ["with DSR by annotation", { annotations: { "ebpf-dataplane.io/return-mode": "DSR" } }],
      ["by the entry node, by annotation", { annotations: { "ebpf-dataplane.io/return-mode": "Tunnel" } }],
      ["with a Maglev table", { annotations: { "ebpf-dataplane.io/backend-selection": "Maglev" } }],
      ["without it", {}],
      ["with session affinity", { spec: { sessionAffinity: "ClientIP" } }],
      ["as a load balancer's", { spec: { type: "LoadBalancer" } }],
      ["with source ranges of that", { spec: { type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"] } }],
      ["with other ports beside them", { ports: [...ports.map(moved), ...ports] }],
      ["with topology", { spec: { trafficDistribution: "PreferSameNode" } }],
      ["with internal traffic policy Local", { spec: { internalTrafficPolicy: "Local" } }],
      ["as before", {}],
    ];
    for (const [what, change] of changes) {
      cluster.apply(flows(change));
      await goOn(what);
    }
    const split = slices([[one], [two, one], [three]]);
    cluster.apply(...split.toReversed()); // the first slice has all of them until the others are there
    await goOn("with slices that have a backend twice");
    const second = [secondService(), ...slices([[two]], "second")];
    cluster.apply(...second);
    await goOn("beside another Service with the same backend");
    cluster.apply(...whole);
    await cluster.carriedOut();
    cluster.remove(...split.slice(2));
    await goOn("in one slice again");
    cluster.remove(...second);
  });
});

/** Another port, without backends. */
function moved(port: (typeof ports)[number]): object {
  return { ...port, name: `${port.name}-2`, port: port.port + 1000, nodePort: port.nodePort + 100 };
}

function secondService(): KubernetesObject {
  const { metadata, spec, ...kind } = flows();
  return {
    ...kind,
    metadata: { ...metadata, name: "second", uid: "second" },
    spec: {
      ...(spec as object),
      clusterIP: "10.96.0.51",
      clusterIPs: ["10.96.0.51", "fd00:10:96::51"],
      externalIPs: [],
      ports: ports.map((port) => ({ ...port, nodePort: port.nodePort + 1000 })),
    },
  };
}
