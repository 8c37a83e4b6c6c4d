import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, endpointsIpv6, nodes, nodesIpv6, pool, poolIpv6, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { compiled } from "./traffic/compiled.ts";
import { serve } from "./traffic/serving.ts";

let cluster: BareCluster;
let web: Placed;
let trains: string;
const clusterIP = "10.96.0.11";
const clusterIPv6 = "fd00:10:96::11";
const inPod = (pod: string, argv: string[]) => ["nsenter", `--net=/run/netns/${pod}`, ...argv];

beforeAll(async () => {
  trains = await compiled("trains");
  cluster = await BareCluster.start({ stack: "dual" });
  web = await cluster.addPod("web", "node", { app: "web" });
  await cluster.addPod("asker", "master", { app: "asker" });
  const slices = [
    endpoints("trains", [web], "UDP"),
    endpointsIpv6("trains", [web], "UDP"),
    endpoints("host", [{ address: nodes.node, node: "node" }], "UDP"),
  ];
  cluster.apply(
    service("trains", { clusterIP, clusterIPv6, nodePort: 30053, protocol: "UDP" }),
    service("host", { clusterIP: "10.96.0.12", nodePort: 30054, protocol: "UDP" }),
    ...slices.map((slice) => ({ ...slice, ports: [{ name: "web", protocol: "UDP", port: 9000 }] })),
  );
  for (const where of [web, "node"] as const) await serve(cluster, where, [trains, "serve", "9000"], "udp:9000");
});
afterAll(() => cluster?.close());

// What one call sends with UDP_SEGMENT stays one packet in the kernel: between these machines also on the wire.
describe.each([
  { mode: "DSR", vxlanMode: "Always" },
  { mode: "Tunnel", vxlanMode: "Always" },
  { mode: "DSR", vxlanMode: "CrossSubnet" },
] as const)("trains of datagrams, return mode $mode, VXLAN $vxlanMode", ({ mode, vxlanMode }) => {
  beforeAll(async () => {
    cluster.apply(returnMode(mode), pool(vxlanMode), poolIpv6(vxlanMode));
    await cluster.carriedOut();
    for (const port of [30053, 30054])
      await until("the server", async () => (await send("client1", [], `172.31.1.8 ${port}`, 100, 1)) === "1 1");
  });

  const send = async (from: "client1" | "master", enter: string[], to: string, size: number, count: number) =>
    (await cluster.run(from, [...enter, trains, "send", ...to.split(" "), String(size), String(count)])).trim();

  const shapes = [
    [500, 10],
    [1000, 10],
    [1200, 10],
    [1372, 10],
    [1400, 10],
    [1422, 10],
    [1423, 10],
    [1440, 10],
    [1472, 10],
    [1200, 54],
    [1472, 44],
    [1424, 46], // no room for our headers in the 65,535 bytes of an IP packet
  ] as const;

  /** Received datagrams and replies, for each shape. */
  async function sendAll(from: "client1" | "master", enter: string[], to: string, mtu = 1500) {
    const headers = to.includes(":") ? 48 : 28;
    const fitting = shapes.filter(([size, count]) => size + headers <= mtu && size * count + headers <= 65_535);
    const seen: string[] = [];
    for (const [size, count] of fitting) seen.push(`${size}: ${await send(from, enter, to, size, count)}`);
    expect(seen).toEqual(fitting.map(([size, count]) => `${size}: ${count} ${count}`));
  }

  test("from a client through the other node", () => sendAll("client1", [], "172.31.1.8 30053"));
  test("from a client through the other node, over IPv6", () => sendAll("client1", [], `${nodesIpv6.master} 30053`));
  test("from a pod of the other node to the cluster address, over IPv6", () =>
    sendAll("master", inPod("asker", []), `${clusterIPv6} 80`, 1450));
  test("from a client through the pod's own node", () => sendAll("client1", [], "172.31.1.207 30053"));
  test("from a client through the other node to a backend in its node's network", () =>
    sendAll("client1", [], "172.31.1.8 30054"));
  test("from a pod of the other node to the cluster address", () =>
    sendAll("master", inPod("asker", []), `${clusterIP} 80`, 1450));
  test("from a pod of the other node to the pod", () =>
    sendAll("master", inPod("asker", []), `${web.address} 9000`, 1450));
  if (vxlanMode === "CrossSubnet")
    test("from a pod of the other node to the pod, in IPIP", async () => {
      cluster.apply(pool("Never", "Always"), poolIpv6("Never"));
      try {
        await cluster.podsHaveMtu(1480);
        await sendAll("master", inPod("asker", []), `${web.address} 9000`, 1480);
      } finally {
        cluster.apply(pool(vxlanMode), poolIpv6(vxlanMode));
        await cluster.podsHaveMtu(1450);
      }
    });
  test("from the other node itself", () =>
    sendAll("master", [], `${clusterIP} 80`, vxlanMode === "Always" ? 1450 : 1500));
});
