// A Service with a thousand ports, in both families: every one of them is served by the pod's port that it names, also while ports come and go.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareCluster, type From } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, nodes, nodesIpv6, returnMode } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { HeldFlows } from "./traffic/held-flows.ts";
import { holdFlows } from "./traffic/moving.ts";
import { serveEchoes } from "./traffic/serving.ts";

const COUNT = 1000;
const FIRST_NODE_PORT = 31_000;
const FAMILIES = ["IPv4", "IPv6"] as const;
const clusterIP = { IPv4: "10.96.0.70", IPv6: "fd00:10:96::70" };

let cluster: BareCluster;
let backends: Placed[];

beforeAll(async () => {
  cluster = await BareCluster.start({ stack: "dual" });
  backends = await Promise.all([
    cluster.addPod("near", "master", { app: "many" }),
    cluster.addPod("far", "node", { app: "many" }),
  ]);
  for (const pod of backends) await serveEchoes(cluster, pod);
  await cluster.addPod("asker", "master", { app: "asker" });
  cluster.apply(returnMode("DSR"));
});
afterAll(() => cluster?.close());

/** One port of the Service: 0 and 1 are the echo server and the datagrams of the flows that are held, the others the probe servers' ports. */
function portAt(index: number): { protocol: "TCP" | "UDP"; at: number } {
  if (index === 0) return { protocol: "TCP", at: 82 };
  if (index === 1) return { protocol: "UDP", at: 80 };
  return index % 3 === 0 ? { protocol: "UDP", at: 80 } : { protocol: "TCP", at: index % 2 === 0 ? 80 : 81 };
}

/** The Service with some of its ports. */
async function put(indexes: readonly number[]): Promise<void> {
  const names = indexes.map((index) => ({ index, name: `port-${index}`, ...portAt(index) }));
  const service: KubernetesObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "many", namespace: "default", uid: "many" },
    spec: {
      ...{ type: "NodePort", clusterIP: clusterIP.IPv4, clusterIPs: Object.values(clusterIP), ipFamilies: FAMILIES },
      ports: names.map(({ index, name, protocol, at }) => ({
        ...{ name, protocol, port: 1000 + index, targetPort: at, nodePort: FIRST_NODE_PORT + index },
      })),
    },
  };
  const slices = FAMILIES.map((family) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `many-${family.toLowerCase()}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": "many" },
    },
    addressType: family,
    ports: names.map(({ name, protocol, at }) => ({ name, protocol, port: at })),
    endpoints: backends.map(({ address, addressIpv6, node }) => ({
      addresses: [family === "IPv4" ? address : addressIpv6],
      nodeName: node,
      conditions: { ready: true, serving: true, terminating: false },
    })),
  }));
  cluster.apply(service, ...slices);
  await cluster.carriedOut();
}

const all = Array.from({ length: COUNT }, (_, index) => index);
const probed = all.slice(2);
const isKept = (index: number) => index < 2 || index % 5 !== 0;

/** Verdicts of one connection, or one datagram, to each of the ports. */
async function verdicts(from: From, host: string, first: number, indexes: readonly number[]): Promise<string[]> {
  const found: string[] = [];
  // Some at a time: a thousand sockets at once would be a test of the prober.
  for (let start = 0; start < indexes.length; start += 100) {
    const asked = indexes.slice(start, start + 100).map((index) => ({
      ...{ to: `${host}:${first + index}`, protocol: portAt(index).protocol.toLowerCase() as "tcp" | "udp" },
      timeoutMs: 30_000,
    }));
    found.push(...(await cluster.probe(from, ...asked)).map(({ verdict }) => verdict));
  }
  return found;
}

const doors: [From, string, number][] = [
  ["client1", nodes.master, FIRST_NODE_PORT],
  ["client1", `[${nodesIpv6.node}]`, FIRST_NODE_PORT],
  ["default/asker", clusterIP.IPv4, 1000],
  ["default/asker", `[${clusterIP.IPv6}]`, 1000],
];

test("all thousand ports are served, to clients and pods, in both families", async () => {
  await put(all);
  for (const [from, host, first] of doors) {
    const seen = await verdicts(from, host, first, probed);
    expect(
      seen.filter((verdict) => verdict !== "allowed"),
      `${from} to ${host}`,
    ).toEqual([]);
    expect(seen).toHaveLength(probed.length);
  }
});

test("two hundred go and come back while others are in use: those refuse at once, and flows of the others go on", async () => {
  const ports = { tcp: FIRST_NODE_PORT, udp: FIRST_NODE_PORT + 1 };
  const held = FAMILIES.map(
    (family) =>
      new HeldFlows(family, holdFlows(cluster, { IPv4: nodes.master, IPv6: nodesIpv6.master }[family], 3, ports)),
  );
  await Promise.all(held.map((flows) => flows.begin()));
  const gone = probed.filter((index) => !isKept(index));
  await put(all.filter(isKept));
  for (const flows of held) await flows.goesOn();
  // A kernel refuses only a few datagrams of one sender in a second.
  const refused = [...gone.filter((index) => portAt(index).protocol === "TCP"), 15];
  for (const [from, host, first] of doors) {
    const seen = await verdicts(from, host, first, refused);
    expect(
      seen.filter((verdict) => verdict !== "rejected"),
      `${from} to ${host}`,
    ).toEqual([]);
    const kept = await verdicts(from, host, first, probed.filter(isKept).slice(0, 100));
    expect(
      kept.filter((verdict) => verdict !== "allowed"),
      `${from} to ${host}`,
    ).toEqual([]);
  }
  await put(all);
  for (const flows of held) await flows.goesOn();
  for (const [from, host, first] of doors) {
    const seen = await verdicts(from, host, first, gone);
    expect(
      seen.filter((verdict) => verdict !== "allowed"),
      `${from} to ${host}`,
    ).toEqual([]);
  }
});
