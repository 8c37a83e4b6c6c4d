import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { type Backend, endpoints, felix, node, nodes, nodesIpv6, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serveProbes } from "./traffic/serving.ts";

/** As in a cluster of that family alone. */
const families = {
  IPv4: { nodes, clusterIP: (last: number) => `10.96.0.${last}`, place: (address: string) => address },
  IPv6: {
    nodes: nodesIpv6,
    clusterIP: (last: number) => `fd00:10:96::${last}`,
    place: (address: string) => `[${address}]`,
  },
};

describe.each([
  { sockets: "All", stack: "IPv4" },
  { sockets: "HostOnly", stack: "IPv6" },
] as const)("which backends are chosen, sockets $sockets, $stack", ({ sockets, stack }) => {
  const { nodes: machines, clusterIP, place } = families[stack];
  const at = { master: place(machines.master), node: place(machines.node) };
  const serviceAt = (last: number) => `${place(clusterIP(last))}:80`;
  let cluster: BareCluster;
  let here: Placed;
  let far: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ stack });
    [here, far] = await Promise.all([
      cluster.addPod("here", "master", { app: "here" }),
      cluster.addPod("far", "node", { app: "far" }),
      cluster.addPod("asker", "master", { app: "asker" }),
    ]);
    cluster.apply(
      node("master", "a", stack),
      node("node", "b", stack),
      felix({ "ebpf-dataplane.io/socket-translation": sockets }),
    );
  });
  afterAll(() => cluster?.close());

  /** A service of that family, and its backends. */
  function put(
    name: string,
    last: number,
    { spec, protocol = "TCP" }: Partial<Parameters<typeof service>[1]>,
    backends: readonly Backend[],
  ) {
    const families = { ipFamilies: [stack], ipFamilyPolicy: "SingleStack" };
    cluster.apply(
      service(name, { clusterIP: clusterIP(last), nodePort: 30_000 + last, protocol, spec: { ...families, ...spec } }),
      { ...endpoints(name, backends, protocol), addressType: stack },
    );
  }

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
    const ending = (...backends: Backend[]) => put("ending", 60, { spec: local }, backends);
    ending(here, far);
    await cluster.carriedOut();
    await reached("client1", `${at.master}:30060`, ["default/here"]);
    ending({ ...here, terminating: true }, far);
    await cluster.carriedOut();
    await reached("default/asker", serviceAt(60), ["default/far"]);
    const door = `${at.master}:30060`;
    expect(await servers("client1", door)).toEqual(["default/here"]);
    // At their own node's port pods and processes are inside the cluster, at another node's they are its clients.
    for (const from of ["default/asker", "master"] as const)
      expect(await servers(from, door), from).toEqual(["default/far"]);
    for (const from of ["default/far", "node"] as const)
      expect(await servers(from, door), from).toEqual(["default/here"]);
    expect(await servers("default/asker", `${at.node}:30060`)).toEqual(["default/far"]);
    ending(far);
    await cluster.carriedOut();
    const dropped = [{ to: door, protocol: "tcp" }] as const;
    for (const from of ["default/far", "node", "client1"] as const)
      expect((await cluster.probe(from, ...dropped))[0]?.verdict, from).toBe("dropped");
    expect(await servers("default/asker", door)).toEqual(["default/far"]);
  });

  test("processes of the nodes are backends at their own node's port alone, and pods of other nodes see its address", async () => {
    const asHost = (machine: "master" | "node") => ({ address: machines[machine], node: machine });
    await Promise.all([
      serveProbes(cluster, "master", "host/master", "tcp:80", "udp:80"),
      serveProbes(cluster, "node", "host/node", "tcp:80", "udp:80"),
    ]);
    const local = { externalTrafficPolicy: "Local" };
    put("hosts", 63, { spec: local }, [asHost("master"), asHost("node")]);
    put("hosts-udp", 64, { spec: local, protocol: "UDP" }, [asHost("master"), asHost("node")]);
    await cluster.carriedOut();
    const others: [From, "master" | "node"][] = [
      ["default/far", "master"],
      ["default/asker", "node"],
      ["client1", "master"],
      ["node", "master"],
    ];
    for (const [from, to] of others) {
      expect(await servers(from, `${at[to]}:30063`), `${from} to ${to}, TCP`).toEqual([`host/${to}`]);
      expect(await servers(from, `${at[to]}:30064`, "udp"), `${from} to ${to}, UDP`).toEqual([`host/${to}`]);
    }
    expect(await servers("default/asker", `${at.master}:30063`)).toEqual(["host/master", "host/node"]);
  });

  test("hints: this node's backends, else this zone's, else all; an established UDP flow stays", async () => {
    const near = (...backends: Backend[]) => {
      put("near", 61, {}, backends);
      put("near-udp", 62, { protocol: "UDP" }, backends);
    };
    const both = ["default/far", "default/here"];
    const doors: [From, string][] = [
      ["default/asker", serviceAt(61)],
      ["master", serviceAt(61)],
      ["client1", `${at.master}:30061`],
    ];
    near(far);
    await cluster.carriedOut();
    await reached("default/asker", serviceAt(61), ["default/far"]);
    const flow = { to: `${at.master}:30062`, protocol: "udp", sourcePort: 46_100 } as const;
    expect((await cluster.probe("client1", flow))[0]?.server).toBe("default/far");

    near({ ...here, zones: ["a"] }, { ...far, zones: ["b"] });
    await cluster.carriedOut();
    for (const [from, to] of doors) await reached(from, to, ["default/here"]);
    expect(await servers("client1", `${at.node}:30061`)).toEqual(["default/far"]);
    expect((await cluster.probe("client1", flow))[0]?.server).toBe("default/far");

    near({ ...here, zones: ["a"], hintedNodes: ["node"] }, { ...far, zones: ["b"], hintedNodes: ["master"] });
    await cluster.carriedOut();
    for (const [from, to] of doors) await reached(from, to, ["default/far"]);
    // Chosen at an entry node for a backend that its own node gives nobody.
    expect(await servers("client1", `${at.node}:30061`)).toEqual(["default/here"]);

    near({ ...here, zones: ["a"] }, far);
    for (const [from, to] of doors) await reached(from, to, both);
    near({ ...here, zones: ["c"] }, { ...far, zones: ["b"] });
    for (const [from, to] of doors) await reached(from, to, both);
  });
});
