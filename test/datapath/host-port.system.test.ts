import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { frame, tcp, udp } from "../packets/frames.ts";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { clients, felix, nodes, onlyFrom, pool, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { Attacker } from "./traffic/attacker.ts";

const HERE = nodes.node;
let cluster: BareCluster;
let far: Placed;
let near: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  near = await cluster.addPod("near", "node", { app: "near" }, [
    { containerPort: 80, hostPort: 8081, hostIP: "127.0.0.1" },
  ]);
  far = await cluster.addPod("far", "master", { app: "far" });
});
afterAll(() => cluster?.close());

/** Pods with and without encapsulation; services handled by us and by kube-proxy, which does not know host ports. Each has ports of its
 * own, of which no node remembers a flow. */
describe.each([
  { vxlanMode: "CrossSubnet", handling: "Ebpf", tcp: 8180, udp: 8153 },
  { vxlanMode: "Always", handling: "Ebpf", tcp: 8280, udp: 8253 },
  { vxlanMode: "CrossSubnet", handling: "KubeProxyNftables", tcp: 8380, udp: 8353 },
  { vxlanMode: "Always", handling: "KubeProxyNftables", tcp: 8480, udp: 8453 },
] as const)("host ports, pods' network $vxlanMode, services $handling", ({ vxlanMode, handling, ...port }) => {
  const TCP = { containerPort: 80, hostPort: port.tcp };
  const UDP = { containerPort: 80, hostPort: port.udp, protocol: "UDP" } as const;

  beforeAll(async () => {
    cluster.apply(felix({ "ebpf-dataplane.io/service-handling": handling }), pool(vxlanMode));
    await cluster.addPod("web", "node", { app: "web" }, [TCP, UDP]);
    await cluster.carriedOut();
  });

  const see = (from: From, to = `${HERE}:${port.tcp}`) => cluster.see(from, to);
  const ask = (from: From, to = `${HERE}:${port.udp}`) => cluster.see(from, to, { protocol: "udp" });

  const askers: { who: string; from: From; source: () => string }[] = [
    { who: "a client", from: "client1", source: () => clients.client1 },
    { who: "another client", from: "client2", source: () => clients.client2 },
    { who: "the other node", from: "master", source: () => nodes.master },
    { who: "a pod of the other node", from: "default/far", source: () => far.address },
    { who: "a pod of the same node", from: "default/near", source: () => near.address },
    { who: "the node itself", from: "node", source: () => nodes.node },
  ];

  test.each(askers)("the pod sees $who's own address", async ({ from, source }) => {
    expect(await see(from)).toBe(`allowed default/web saw ${source()}`);
    expect(await ask(from)).toBe(`allowed default/web saw ${source()}`);
  });

  test.each(["127.0.0.1", "127.0.1.1", "0.0.0.0"])("the node reaches it at %s", async (address) => {
    expect(await see("node", `${address}:${port.tcp}`)).toBe(`allowed default/web saw ${nodes.node}`);
    expect(await ask("node", `${address}:${port.udp}`)).toBe(`allowed default/web saw ${nodes.node}`);
  });

  test("replies to the node's own requests from that port number reach the node", async () => {
    for (const { name, address } of [far, near]) {
      const [answer] = await cluster.probe("node", { to: `${address}:80`, protocol: "udp", sourcePort: UDP.hostPort });
      expect(answer).toMatchObject({ verdict: "allowed", server: `default/${name}` });
    }
  });

  test("the pod reaches itself", async () => {
    expect(await see("default/web")).toMatch(/^allowed default\/web/);
  });

  test("it is not open on the other node, nor on a loopback address", async () => {
    expect(await see("client1", `${nodes.master}:${port.tcp}`)).toBe("rejected");
    expect(await see("master", `127.0.0.1:${port.tcp}`)).toBe("rejected");
    expect(await see("default/near", `127.0.0.1:${port.tcp}`)).toBe("rejected");
  });

  test("a hostIP on loopback is open to the node's own processes only", async () => {
    expect(await see("node", "127.0.0.1:8081")).toBe(`allowed default/near saw ${nodes.node}`);
    for (const from of ["client1", "master", "default/far", "default/web", "node"] as const)
      expect(await see(from, `${HERE}:8081`), from).toBe("rejected");
  });

  test("crafted frames from outside do not reach it", async () => {
    const attacker = new Attacker(cluster);
    try {
      const watch = await attacker.watch(near);
      const mac = await attacker.mac("node");
      const to = (source: string, destination: string, mark: string) =>
        frame({ source, destination }, tcp(7000, 8081, "S", Buffer.from(mark)), { destination: mac });
      await attacker.send("client1", to(clients.client1, "127.0.0.1", "attack"));
      await attacker.sendFrom(far, to(far.address, "127.0.0.1", "attack"));
      await attacker.send(
        "client1",
        frame({ source: clients.client1, destination: near.address }, udp(7000, 80, Buffer.from("honest")), {
          destination: mac,
        }),
      );
      await until("the honest datagram", async () => watch.count("honest") > 0);
      expect(watch.count("attack")).toBe(0);
    } finally {
      attacker.close();
    }
  });

  test("a policy judges the client by its own address", async () => {
    const policy = onlyFrom("web", `${clients.client1}/32`);
    cluster.apply(policy);
    try {
      await cluster.carriedOut();
      expect(await see("client2")).toBe("dropped");
      const others = ["master", "default/far", "default/near"] as const;
      expect(await Promise.all(others.map((from) => see(from)))).toEqual(others.map(() => "dropped"));
      expect(await see("client1")).toBe("allowed default/web saw 172.31.1.55");
      expect(await see("node")).toBe("allowed default/web saw 172.31.1.207"); // kubelet's probes
    } finally {
      cluster.remove(policy);
    }
    await cluster.carriedOut();
    expect(await see("client2")).toMatch(/^allowed/);
  });

  test("a node port or an earlier pod keeps the port; when that pod is removed the next one gets it", async () => {
    await cluster.addPod("younger", "node", { app: "younger" }, [
      TCP,
      UDP,
      { containerPort: 80, hostPort: 8090 },
      { containerPort: 80, hostPort: 30604 },
    ]);
    const empty = service("empty", { clusterIP: "10.96.0.10", nodePort: 30604 });
    cluster.apply(empty);
    await cluster.carriedOut();
    expect(await see("client1", `${HERE}:8090`)).toMatch(/^allowed default\/younger/);
    expect(await see("client1")).toBe("allowed default/web saw 172.31.1.55");
    // That Service has no backends.
    expect(await see("client1", `${HERE}:30604`)).toBe("rejected");
    const flow = async () => {
      const asked = { to: `${HERE}:${port.udp}`, protocol: "udp", sourcePort: 40_053 } as const;
      return (await cluster.probe("client1", asked))[0]?.server;
    };
    expect(await flow()).toBe("default/web");
    await cluster.removePod("web");
    await until("the next pod", async () => (await see("client1")) === "allowed default/younger saw 172.31.1.55");
    await until("the flow to move", async () => (await flow()) === "default/younger");
    await cluster.removePod("younger");
    const askers: From[] = ["client1", "default/far", "node"];
    await Promise.all(
      askers.map((from) => until(`${from} to be refused`, async () => (await see(from)) === "rejected")),
    );
    expect(await see("node", `127.0.0.1:${port.tcp}`)).toBe("rejected");
    cluster.remove(empty);
  });
});
