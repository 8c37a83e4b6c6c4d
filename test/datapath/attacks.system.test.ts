import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ethernet, frame, icmpError, ip, ipip, udp, vxlan } from "../packets/frames.ts";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  clients,
  endpoints,
  type KubernetesObject,
  type NodeName,
  nodes,
  pool,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { Attacker } from "./traffic/attacker.ts";

const OVERLAY = 4096;
const FORWARD_VIA = 1 << 22;
const FORWARD_DIRECT = 2 << 22;
const RETURN = 3 << 22;

/** Selects the pods of an app for both directions; `from` and `to` are CIDRs. */
const policy = (app: string, rules: { ingress?: string[]; egress?: string[] }): KubernetesObject => {
  const blocks = (cidrs: string[] = []) => cidrs.map((cidr) => ({ ipBlock: { cidr } }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `only-${app}`, namespace: "default" },
    spec: {
      podSelector: { matchLabels: { app } },
      policyTypes: [...(rules.ingress ? ["Ingress"] : []), ...(rules.egress ? ["Egress"] : [])],
      ...(rules.ingress && { ingress: rules.ingress.length > 0 ? [{ from: blocks(rules.ingress) }] : [] }),
      ...(rules.egress && { egress: [{ to: blocks(rules.egress) }] }),
    },
  };
};

let cluster: BareCluster;
let attacker: Attacker;
let victim: Placed;
let closed: Placed;
let open: Placed;
let jailed: Placed;
let friend: Placed;
let mac: Record<NodeName | "client1", string>;

beforeAll(async () => {
  cluster = await BareCluster.start();
  attacker = new Attacker(cluster);
  [victim, closed, open, jailed, friend] = (await Promise.all(
    (["victim", "closed", "open", "jailed"] as const)
      .map((name) => cluster.addPod(name, "node", { app: name }))
      .concat(cluster.addPod("friend", "master", { app: "friend" })),
  )) as [Placed, Placed, Placed, Placed, Placed];
  mac = {
    master: await attacker.mac("master"),
    node: await attacker.mac("node"),
    client1: await attacker.mac("client1"),
  };
  cluster.apply(
    service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
    endpoints("dns", [victim], "UDP"),
    policy("victim", { ingress: [`${friend.address}/32`] }),
    policy("closed", { ingress: [] }),
    policy("jailed", { egress: [`${friend.address}/32`] }),
  );
});
afterAll(async () => {
  attacker?.close();
  await cluster?.close();
});

// Attacks: frames that no ordinary socket sends, and where they must not arrive. Each is paired with one that must arrive. In each mode
// from ports of its own, so that no node remembers a flow.
describe.each([
  { mode: "DSR", vxlanMode: "CrossSubnet", port: 7000 },
  { mode: "Tunnel", vxlanMode: "Always", port: 8000 },
] as const)("attacks, return mode $mode, VXLAN $vxlanMode", ({ mode, vxlanMode, port: own }) => {
  beforeAll(async () => {
    cluster.apply(returnMode(mode), pool(vxlanMode));
    await cluster.carriedOut();
    await until("the policies", async () => {
      const seen = await Promise.all([
        cluster.see("default/open", `${closed.address}:80`),
        cluster.see("client1", "172.31.1.207:30053", { protocol: "udp" }),
        cluster.see("default/jailed", `${open.address}:80`),
        cluster.see("default/friend", `${victim.address}:80`),
      ]);
      return seen.slice(0, 3).every((one) => one === "dropped") && (seen[3] ?? "").startsWith("allowed");
    });
  });

  const outcome = async (node: NodeName, name: string) => (await cluster.outcomes(node))[name] ?? 0;
  /** Waits for packets on their way: a busy computer's processors take theirs one after the other. */
  const counted = async (name: string, count: number) => {
    await until(`${count} of ${name}`, async () => (await outcome("node", name)) >= count);
    expect(await outcome("node", name), name).toBe(count);
  };
  /** A datagram between any two addresses, with a mark to know it by. */
  const datagram = (source: string, destination: string, port: number, mark: string, sourcePort: number = own) =>
    ip({ source, destination }, udp(sourcePort, port, Buffer.from(mark)));
  const to = (node: NodeName, packet: Buffer) => ethernet(packet, 0x0800, { destination: mac[node] });
  /** VXLAN from master's address, in a frame of the actual sender. */
  const wrapped = (machine: keyof typeof mac, at: string, vni: number, packet: Buffer) =>
    frame({ source: nodes.master, destination: at }, vxlan(50_000, vni, 0, ethernet(packet)), {
      source: mac[machine],
      destination: mac.node,
    });

  /** Sends a datagram that `open` may have behind the attacks, on the same wires, and waits until it arrives: they would have arrived too. */
  async function arrived(machine: "client1" | "master"): Promise<void> {
    const watch = await attacker.watch(open);
    const source = machine === "master" ? nodes.master : clients.client1;
    await attacker.send(machine, to("node", datagram(source, open.address, 80, "honest", own + 600)));
    await until("the honest datagram", async () => watch.count("honest") > 0);
  }

  test("no outside sender can use an address of the node, of a pod, or an unused one", async () => {
    const watch = await attacker.watch(victim);
    const before = {
      martian: await outcome("node", "drop_martian_source"),
      spoofed: await outcome("node", "drop_spoofed_source"),
    };
    const martians = [
      "172.31.1.207",
      "127.0.0.1",
      "0.1.2.3",
      "224.0.0.1",
      "240.0.0.1",
      "255.255.255.255",
      "172.31.1.255",
    ];
    const pods = [friend.address, victim.address, open.address];
    for (const source of [...martians, "172.31.1.8", ...pods])
      await attacker.send(
        "client1",
        to("node", datagram(source, victim.address, 80, "attack")),
        to("node", datagram(source, "172.31.1.207", 30053, "attack")),
        to("master", datagram(source, "172.31.1.8", 30053, "attack")),
      );
    // And once a packet that the other node let through: the node's own address, which is a peer node's there.
    await counted("drop_martian_source", before.martian + 2 * martians.length + 1);
    await counted("drop_spoofed_source", before.spoofed + 2 * pods.length);
    await arrived("client1");
    expect(watch.count("attack")).toBe(0);
  });

  test("no outside sender can inject packets into a flow between pods", async () => {
    const watch = await attacker.watch(victim);
    await attacker.sendFrom(friend, ethernet(datagram(friend.address, victim.address, 80, "honest", own + 100)));
    await until("the flow", async () => watch.count("honest") === 1);
    const spoofed = await outcome("node", "drop_spoofed_source");
    await attacker.send("client1", to("node", datagram(friend.address, victim.address, 80, "attack", own + 100)));
    await counted("drop_spoofed_source", spoofed + 1);
    expect(watch.count("attack")).toBe(0);
  });

  test.each(["client1", "master"] as const)("packets that %s wraps gain no privileges", async (machine) => {
    const watches = await Promise.all([attacker.watch(victim), attacker.watch(closed)]);
    const sources = [clients.client1, nodes.master, nodes.node, "127.0.0.1", open.address];
    const kinds = [RETURN, FORWARD_VIA, FORWARD_DIRECT, OVERLAY];
    const frames = kinds.flatMap((kind) =>
      [victim, closed].flatMap((pod) =>
        // Root on a node may send as that node and its pods, but not as others.
        [...sources, ...(machine === "client1" ? [friend.address] : [])].flatMap((source) => [
          wrapped(machine, nodes.node, kind, datagram(source, pod.address, 80, "attack")),
          wrapped(machine, nodes.node, kind, datagram(source, "172.31.1.207", 30053, "attack")),
        ]),
      ),
    );
    await attacker.send(machine, ...frames);
    await arrived(machine);
    for (const watch of watches) expect(watch.count("attack")).toBe(0);
  });

  // The kernel's VXLAN device takes what was wrapped in VXLAN twice; everything else is dropped.
  test.each(["client1", "master"] as const)(
    "packets that %s wraps twice, in whatever, gain none either",
    async (machine) => {
      const watches = await Promise.all([attacker.watch(victim), attacker.watch(closed)]);
      const toNode = { source: nodes.master, destination: nodes.node };
      const kinds = [RETURN, FORWARD_VIA, FORWARD_DIRECT, OVERLAY];
      const inVxlan = (kind: number) => (packet: Buffer) => ip(toNode, vxlan(50_000, kind, 0, ethernet(packet)));
      const wraps = [...kinds.map(inVxlan), (packet: Buffer) => ip(toNode, ipip(packet))];
      const macs = { source: mac[machine], destination: mac.node };
      const sources = [clients.client1, nodes.node, open.address, ...(machine === "client1" ? [friend.address] : [])];
      const twice = (packet: Buffer) =>
        wraps.flatMap((outer) => wraps.map((inner) => ethernet(outer(inner(packet)), 0x0800, macs)));
      const before = await outcome("node", "drop_unsupported");
      await attacker.send(
        machine,
        ...sources.flatMap((source) =>
          [victim, closed].flatMap(({ address }) => twice(datagram(source, address, 80, "attack"))),
        ),
      );
      await arrived(machine);
      for (const watch of watches) expect(watch.count("attack")).toBe(0);
      if (machine === "master") expect(await outcome("node", "drop_unsupported")).toBeGreaterThan(before);
      // What master may send wrapped once arrives wrapped twice, too: it has the same rights.
      const rightly = await attacker.watch(open);
      const own = datagram(machine === "master" ? friend.address : clients.client1, open.address, 80, "rightly");
      await attacker.send(machine, ethernet(inVxlan(OVERLAY)(inVxlan(OVERLAY)(own)), 0x0800, macs));
      if (machine === "master") await until("what was wrapped twice", async () => rightly.count("rightly") === 1);
      await arrived(machine);
      expect(rightly.count("rightly")).toBe(machine === "master" ? 1 : 0);
    },
  );

  test("the tunnel has one address on a node", async () => {
    await cluster.run("node", ["ip", "address", "add", "172.31.1.209/32", "dev", "eth0"]);
    const watch = await attacker.watch(open);
    const packet = (mark: string) => datagram(friend.address, open.address, 80, mark);
    await attacker.send("master", wrapped("master", "172.31.1.209", OVERLAY, packet("attack")));
    await attacker.send("master", wrapped("master", nodes.node, OVERLAY, packet("rightly")));
    await until("the packet with the right VXLAN destination", async () => watch.count("rightly") === 1);
    expect(watch.count("attack")).toBe(0);
    await cluster.run("node", ["ip", "address", "delete", "172.31.1.209/32", "dev", "eth0"]);
  });

  test("neither a pod nor a process on a node can send to the tunnel's port", async () => {
    const before = await outcome("node", "drop_tunnel_from_workload");
    const watch = await attacker.watch("master");
    const tunnelled = vxlan(own + 200, RETURN, 0, ethernet(datagram(clients.client1, friend.address, 80, "attack")));
    await attacker.sendFrom(open, frame({ source: open.address, destination: nodes.master }, tunnelled));
    const send = `const s = require("node:dgram").createSocket("udp4"); s.send("attack", 4789, "172.31.1.8", () => s.close())`;
    // A send that the node's own program refuses is an error for the socket: EPERM.
    await cluster.run("node", [process.execPath, "-e", `${send}; s.on("error", () => s.close())`]);
    await counted("drop_tunnel_from_workload", before + 2);
    expect(watch.count("attack")).toBe(0);
  });

  const error = (source: string, destination: string, about: Buffer) =>
    ip({ source, destination }, icmpError(3, 3, about));
  const padded = (mark: string, length: number) => mark.padEnd(length, ".");

  test("a pod's ICMP errors are small and go only to the sender of the packet that they are about", async () => {
    const [atOpen, atFriend, atClient] = await Promise.all([
      attacker.watch(open),
      attacker.watch(friend),
      attacker.watch("client1"),
    ]);
    await attacker.sendFrom(jailed, ethernet(datagram(jailed.address, friend.address, 80, "ask", own + 300)));
    await until("the flow", async () => atFriend.count("ask") === 1);
    const before = await outcome("node", "drop_unrelated");
    const about = (mark: string) =>
      ip({ source: friend.address, destination: jailed.address }, udp(80, own + 300, Buffer.from(mark)));
    const stray = [open.address, victim.address, clients.client1, nodes.master].map((destination) =>
      ethernet(error(jailed.address, destination, about("attack"))),
    );
    const large = ethernet(error(jailed.address, friend.address, about(padded("attack", 560))));
    await attacker.sendFrom(jailed, ...stray, large);
    await attacker.sendFrom(jailed, ethernet(error(jailed.address, friend.address, about("rightly"))));
    await until("the right error", async () => atFriend.count("rightly") === 1);
    await counted("drop_unrelated", before + stray.length + 1);
    expect([atOpen, atFriend, atClient].map((watch) => watch.count("attack"))).toEqual([0, 0, 0]);
  });

  test("ICMP errors from outside reach the end of their own flow only", async () => {
    const [atOpen, atClosed] = await Promise.all([attacker.watch(open), attacker.watch(closed)]);
    await attacker.send("client1", to("node", datagram(clients.client1, open.address, 80, "ask", own + 400)));
    await until("the flow", async () => atOpen.count("ask") === 1);
    const before = await outcome("node", "drop_unrelated");
    const about = (mark: string, pod: Placed) =>
      ip({ source: pod.address, destination: clients.client1 }, udp(80, own + 400, Buffer.from(mark)));
    await attacker.send(
      "client1",
      to("node", error("203.0.113.9", closed.address, about("attack", open))),
      to("node", error("203.0.113.9", closed.address, about("attack", closed))),
      to("node", error("203.0.113.9", open.address, about(padded("attack", 560), open))),
      to("node", error("127.0.0.1", open.address, about("attack", open))),
      to("node", error("203.0.113.9", open.address, about("rightly", open))),
    );
    await until("the right error", async () => atOpen.count("rightly") === 1);
    await counted("drop_unrelated", before + 3);
    expect([atOpen.count("attack"), atClosed.count("attack")]).toEqual([0, 0]);
  });

  test("a pod's VLAN tags do not leave its node", async () => {
    const [watch, before] = [await attacker.watch("client1"), await outcome("node", "drop_tagged")];
    const packet = (mark: string) => datagram(open.address, clients.client1, 9, mark);
    const tagged = ethernet(Buffer.concat([Buffer.from([0x00, 0x64, 0x08, 0x00]), packet("attack")]), 0x8100);
    await attacker.sendFrom(open, tagged, ethernet(packet("rightly")));
    await until("the frame without a tag", async () => watch.count("rightly") === 1);
    await counted("drop_tagged", before + 1);
    expect(watch.count("attack")).toBe(0);
  });

  test("a policy that is added later ends a flow in both directions", async () => {
    const [atOpen, atClient] = await Promise.all([attacker.watch(open), attacker.watch("client2")]);
    const reply = (mark: string) =>
      ethernet(ip({ source: open.address, destination: clients.client2 }, udp(80, own + 500, Buffer.from(mark))));
    await attacker.send("client2", to("node", datagram(clients.client2, open.address, 80, "ask", own + 500)));
    await until("the flow", async () => atOpen.count("ask") === 1);
    await attacker.sendFrom(open, reply("before"));
    await until("a reply", async () => atClient.count("before") === 1);
    const revoked = policy("open", { ingress: [`${friend.address}/32`] });
    cluster.apply(revoked);
    await until("the policy", async () => (await cluster.see("master", `${open.address}:80`)) === "dropped");
    await attacker.sendFrom(open, reply("attack"));
    cluster.remove(revoked);
    await until("its end", async () => (await cluster.see("master", `${open.address}:80`)).startsWith("allowed"));
    await attacker.sendFrom(open, reply("after"));
    await until("a reply after it", async () => atClient.count("after") === 1);
    expect(atClient.count("attack")).toBe(0);
  });
});
