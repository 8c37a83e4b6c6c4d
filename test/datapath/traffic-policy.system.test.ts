import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./bare-cluster.ts";
import { type Backend, endpoints, felix, node, nodes, service } from "./objects.ts";
import type { Placed } from "./placed.ts";

describe.each(["All", "HostOnly"] as const)("which backends are chosen, sockets %s", (sockets) => {
  let cluster: BareCluster;
  let here: Placed;
  let far: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start();
    [here, far] = await Promise.all([
      cluster.addPod("here", "master", { app: "here" }),
      cluster.addPod("far", "node", { app: "far" }),
      cluster.addPod("asker", "master", { app: "asker" }),
    ]);
    cluster.apply(node("master", "a"), node("node", "b"), felix({ "ebpf-dataplane.io/socket-translation": sockets }));
  });
  afterAll(() => cluster?.close());

  /** The servers of 24 connections: both of two are missed once in 2^23. */
  async function servers(from: From, to: string, protocol: "tcp" | "udp" = "tcp"): Promise<string[]> {
    const asked = Array.from({ length: 24 }, () => ({ to, protocol }));
    const results = await cluster.probe(from, ...asked);
    return [...new Set(results.map(({ server, verdict }) => server ?? verdict))].sort();
  }

  async function reached(from: From, to: string, wanted: string[]): Promise<void> {
    let seen: string[] = [];
    const holds = async () => {
      seen = await servers(from, to);
      return seen.join() === wanted.join();
    };
    await until(`${from} to reach ${wanted} at ${to}`, holds, () => `seen: ${seen}`);
  }

  test("the last backend here terminates: outside clients still get it, clients in the cluster get ready ones", async () => {
    const local = { externalTrafficPolicy: "Local" };
    const put = (...backends: Backend[]) =>
      cluster.apply(
        service("ending", { clusterIP: "10.96.0.60", nodePort: 30060, spec: local }),
        endpoints("ending", backends),
      );
    put(here, far);
    await cluster.carriedOut();
    await reached("client1", `${nodes.master}:30060`, ["default/here"]);
    put({ ...here, terminating: true }, far);
    await cluster.carriedOut();
    await reached("default/asker", "10.96.0.60:80", ["default/far"]);
    const door = `${nodes.master}:30060`;
    expect(await servers("client1", door)).toEqual(["default/here"]);
    for (const from of ["default/asker", "master"] as const)
      expect(await servers(from, door), from).toEqual(["default/far"]);
    expect(await servers("default/far", door)).toEqual(["default/far"]);
  });

  test("hints: this node's backends, else this zone's, else all; an established UDP flow stays", async () => {
    const put = (...backends: Backend[]) =>
      cluster.apply(
        service("near", { clusterIP: "10.96.0.61", nodePort: 30061 }),
        endpoints("near", backends),
        service("near-udp", { clusterIP: "10.96.0.62", nodePort: 30062, protocol: "UDP" }),
        endpoints("near-udp", backends, "UDP"),
      );
    const both = ["default/far", "default/here"];
    const doors: [From, string][] = [
      ["default/asker", "10.96.0.61:80"],
      ["master", "10.96.0.61:80"],
      ["client1", `${nodes.master}:30061`],
    ];
    put(far);
    await cluster.carriedOut();
    await reached("default/asker", "10.96.0.61:80", ["default/far"]);
    const flow = { to: `${nodes.master}:30062`, protocol: "udp", sourcePort: 46_100 } as const;
    expect((await cluster.probe("client1", flow))[0]?.server).toBe("default/far");

    put({ ...here, zones: ["a"] }, { ...far, zones: ["b"] });
    await cluster.carriedOut();
    for (const [from, to] of doors) await reached(from, to, ["default/here"]);
    expect(await servers("client1", `${nodes.node}:30061`)).toEqual(["default/far"]);
    expect((await cluster.probe("client1", flow))[0]?.server).toBe("default/far");

    put({ ...here, zones: ["a"], hintedNodes: ["node"] }, { ...far, zones: ["b"], hintedNodes: ["master"] });
    await cluster.carriedOut();
    for (const [from, to] of doors) await reached(from, to, ["default/far"]);
    // Chosen at an entry node for a backend that its own node gives nobody.
    expect(await servers("client1", `${nodes.node}:30061`)).toEqual(["default/here"]);

    put({ ...here, zones: ["a"] }, far);
    for (const [from, to] of doors) await reached(from, to, both);
    put({ ...here, zones: ["c"] }, { ...far, zones: ["b"] });
    for (const [from, to] of doors) await reached(from, to, both);
  });
});
