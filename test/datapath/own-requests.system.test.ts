import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, felix, type KubernetesObject, nodes, pool, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { inPod } from "./traffic/holding.ts";
import { serveProbes } from "./traffic/serving.ts";
import type { Asked, Observed } from "./traffic/socket-client.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");

let cluster: BareCluster;
let near: Placed;
let far: Placed;
let asking: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  near = await cluster.addPod("near", "master", { app: "near" });
  far = await cluster.addPod("far", "node", { app: "far" });
  asking = await cluster.addPod("asking", "master", { app: "asking" });
  await serveProbes(cluster, "client1", "outside/client1", "udp:5353");
});
afterAll(() => cluster?.close());

// Requests from a source port that is also a service's port: the replies reach the requesting program (cilium/cilium#44348). In each mode
// from ports of its own.
describe.each([
  ["CrossSubnet", 30700],
  ["Always", 30720],
] as const)("answers to a node's own requests, vxlanMode %s", (vxlanMode, first) => {
  beforeAll(async () => {
    const masquerading = pool(vxlanMode);
    cluster.apply({ ...masquerading, spec: { ...(masquerading.spec as object), natOutgoing: true } });
    await cluster.carriedOut();
    await until("the server outside", async () => (await answers("master", `${clients.client1}:5353`, 40000, 500)) > 0);
  });

  /** How many of four datagrams from `sourcePort` are answered. */
  async function answers(where: Placed | "master", to: string, sourcePort: number, silence = 60_000): Promise<number> {
    const asked: Asked = { how: "unconnected", family: 4, to: [to], count: 4, every: 20, sourcePort, silence };
    const command = [process.execPath, client, JSON.stringify(asked)];
    const output =
      where === "master" ? await cluster.run("master", command) : await cluster.run(where.node, inPod(where, command));
    const observed = output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Observed);
    return observed.filter(({ event }) => event === "answer").length;
  }

  /** A node port with the number of the port that is asked from, for other pods. */
  const standing = (nodePort: number): KubernetesObject[] => {
    const name = `standing-${nodePort}`;
    const clusterIP = `10.96.2.${nodePort - 30700}`;
    return [
      service(name, { clusterIP, nodePort, protocol: "UDP" }),
      endpoints(name, nodePort % 2 ? [near] : [far], "UDP"),
    ];
  };

  const cases = [
    {
      say: "the node asks outside",
      ask: () => "master" as const,
      to: () => `${clients.client1}:5353`,
      port: first + 1,
    },
    { say: "a masqueraded pod asks outside", ask: () => asking, to: () => `${clients.client1}:5353`, port: first + 3 },
    { say: "the node asks its own pod", ask: () => "master" as const, to: () => `${near.address}:80`, port: first + 5 },
    {
      say: "the node asks another's pod",
      ask: () => "master" as const,
      to: () => `${far.address}:80`,
      port: first + 7,
    },
  ];

  test.each(cases)("$say, before and after a service takes the port", async ({ ask, to, port }) => {
    expect(await answers(ask(), to(), port)).toBe(4);
    cluster.apply(...standing(port));
    await cluster.carriedOut();
    expect(await cluster.see("client2", `${nodes.master}:${port}`, { protocol: "udp" })).toMatch(/^allowed/);
    expect(await answers(ask(), to(), port)).toBe(4);
  });

  test("a masqueraded pod cannot take over a service's client by sending to it from the service's port", async () => {
    // Nothing listens there: the outgoing packet is enough.
    await answers(asking, `${clients.client1}:5454`, first + 3, 500);
    const asked: Asked = {
      how: "unconnected",
      family: 4,
      to: [`${nodes.master}:${first + 3}`],
      sourcePort: 5454,
      silence: 60_000,
    };
    const output = await cluster.run("client1", [process.execPath, client, JSON.stringify(asked)]);
    expect(JSON.parse(output)).toMatchObject({ event: "answer", server: "default/near" });
  });

  test("a masqueraded pod is its node to the server outside, also where the node forwards nothing itself", async () => {
    const drop = "table inet docker { chain forward { type filter hook forward priority filter; policy drop; }\n}";
    await cluster.run("master", ["nft", drop]);
    try {
      const seen = await cluster.see("default/asking", `${clients.client1}:5353`, { protocol: "udp" });
      expect(seen).toBe(`allowed outside/client1 saw ${nodes.master}`);
      expect(await cluster.see("default/asking", `${clients.client1}:0`, { protocol: "icmp" })).toMatch(/^allowed/);
    } finally {
      await cluster.run("master", ["nft", "delete", "table", "inet", "docker"]);
    }
  });

  test("a client that asks the service from the same address and another port is served", async () => {
    expect(await answers("master", `${clients.client1}:5353`, first + 1)).toBe(4);
    const seen = await cluster.see("client1", `${nodes.master}:${first + 1}`, { protocol: "udp" });
    expect(seen).toBe("allowed default/near saw 172.31.1.55");
  });
});

// kube-proxy masquerades such packets; here the pod sees the service in its own place.
describe("a pod that reaches itself through a service, packet by packet", () => {
  beforeAll(async () => {
    const web = await cluster.addPod("web", "node", { app: "web" });
    cluster.apply(
      pool("CrossSubnet"),
      felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" }),
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
      service("dns", { clusterIP: "10.96.0.11", nodePort: 30605, protocol: "UDP" }),
      endpoints("dns", [web], "UDP"),
    );
    await cluster.carriedOut();
  });

  const see = (to: string, protocol: "tcp" | "udp" = "tcp") => cluster.see("default/web", to, { protocol });

  test.each([
    ["tcp", "10.96.0.10:80"],
    ["tcp", `${nodes.node}:30604`],
    ["tcp", `${nodes.master}:30604`],
    ["udp", "10.96.0.11:80"],
    ["udp", `${nodes.node}:30605`],
    ["udp", `${nodes.master}:30605`],
  ] as const)("by %s to %s, many times", async (protocol, to) => {
    const expected = `allowed default/web saw ${to.split(":")[0]}`;
    for (let round = 0; round < 5; round++) expect(await see(to, protocol)).toBe(expected);
  });

  test("also if its policy denies all traffic", async () => {
    const closed = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "closed", namespace: "default" },
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    };
    cluster.apply(closed);
    await cluster.carriedOut();
    expect(await cluster.see("client1", `${nodes.node}:30604`)).toBe("dropped");
    expect(await see("10.96.0.10:80")).toBe("allowed default/web saw 10.96.0.10");
    expect(await see("10.96.0.11:80", "udp")).toBe("allowed default/web saw 10.96.0.11");
    cluster.remove(closed);
    await cluster.carriedOut();
  });
});

// Its first datagrams found no service, and were routed like any other traffic. The last test: it routes them elsewhere.
test("a pod's UDP flow that began before its service reaches the service without a pause", async () => {
  cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" }), pool("CrossSubnet"));
  await cluster.carriedOut();
  await cluster.run("master", ["ip", "route", "replace", "default", "via", clients.client1]);
  const asked: Asked = {
    how: "unconnected",
    family: 4,
    to: ["10.96.0.15:80"],
    count: 200,
    every: 0,
    sourcePort: 4444,
  };
  const child = cluster.spawn(near.node, inPod(near, [process.execPath, client, JSON.stringify(asked)]));
  let text = "";
  child.stdout?.on("data", (more) => {
    text += more;
  });
  await until("a datagram to be lost", async () => text.includes("silence"));
  cluster.apply(
    service("late", { clusterIP: "10.96.0.15", nodePort: 30615, protocol: "UDP" }),
    endpoints("late", [far], "UDP"),
  );
  await until("an answer", async () => text.includes("default/far"));
});
