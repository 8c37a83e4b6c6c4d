import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, type NodeName, nodes, pool, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { compiled } from "./traffic/compiled.ts";
import { hold, inPod } from "./traffic/holding.ts";
import { serveEchoes } from "./traffic/serving.ts";

const external = "198.51.100.8";
/** A port on which nothing listens. */
const closed = { name: "web", protocol: "UDP", port: 999 };
const both = [
  { name: "tcp", protocol: "TCP", port: 80, targetPort: 80, nodePort: 30992 },
  { name: "udp", protocol: "UDP", port: 80, targetPort: 80, nodePort: 30992 },
];

let cluster: BareCluster;
let near: Placed;
let far: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  near = await cluster.addPod("near", "node", { app: "near" });
  far = await cluster.addPod("far", "master", { app: "far" });
  cluster.apply(
    service("host", { clusterIP: "10.96.0.12", nodePort: 30091, protocol: "UDP" }),
    { ...endpoints("host", [{ address: nodes.node, node: "node" }], "UDP"), ports: [closed] },
    service("empty", { clusterIP: "10.96.0.13", nodePort: 30992, spec: { ports: both, externalIPs: [external] } }),
    service("near", { clusterIP: "10.96.0.14", nodePort: 30080, spec: { externalIPs: ["198.51.100.9"] } }),
    endpoints("near", [near]),
  );
});
afterAll(() => cluster?.close());

// What is refused is answered at once, with the address that the sender used: a TCP RST, or an ICMP error. Workloads' sockets are left
// alone, so that their packets are refused too. In each mode from ports of its own.
describe.each([
  { mode: "DSR", vxlanMode: "CrossSubnet", firstPort: 40_000 },
  { mode: "Tunnel", vxlanMode: "Always", firstPort: 41_000 },
] as const)("refusals, return mode $mode, VXLAN $vxlanMode", ({ mode, vxlanMode, firstPort }) => {
  const entries = Object.keys(nodes) as NodeName[];

  beforeAll(async () => {
    cluster.apply(
      felix({ "ebpf-dataplane.io/socket-translation": "HostOnly" }, { bpfExternalServiceMode: mode }),
      pool(vxlanMode),
    );
    await through("master");
    await cluster.carriedOut();
  });

  /** Services' external addresses lead to this node. */
  const through = (entry: NodeName) =>
    cluster.run("client1", ["ip", "route", "replace", "198.51.100.0/24", "via", nodes[entry]]);

  const refused = async (from: From, to: string) => {
    for (const protocol of ["tcp", "udp"] as const)
      expect(await cluster.see(from, to, { protocol }), `${protocol} ${to} from ${from}`).toBe("rejected");
  };

  test.each(entries)("through %s: a closed UDP port of a backend on its node's network", async (entry) => {
    await until(
      "the refusal",
      async () => (await cluster.see("client1", `${nodes[entry]}:30091`, { protocol: "udp" })) === "rejected",
    );
  });

  test.each(entries)(
    "through %s: a service without backends, at its node port and its external address",
    async (entry) => {
      await through(entry);
      await refused("client1", `${nodes[entry]}:30992`);
      await refused("client1", `${external}:80`);
    },
  );

  test.each(["default/near", "default/far"] as const)("%s: the same, and its cluster address", async (pod) => {
    for (const to of ["10.96.0.13:80", `${external}:80`, "172.31.1.8:30992", "172.31.1.207:30992"])
      await refused(pod, to);
  });

  test("a closed UDP port of a pod, from processes of its own node and of the other", async () => {
    for (const node of entries)
      for (const { address } of [near, far])
        expect(await cluster.see(node, `${address}:999`, { protocol: "udp" }), `${address} from ${node}`).toBe(
          "rejected",
        );
  });

  test("ports of a cluster address that no service has, from pods and a node; the address answers an echo", async () => {
    for (const pod of ["default/near", "default/far"] as const) await refused(pod, "10.96.0.14:81");
    for (const node of entries) expect(await cluster.see(node, "10.96.0.14:81")).toBe("rejected");
    const echo = await compiled("echo");
    for (const pod of [near, far]) await cluster.run(pod.node, inPod(pod, [echo, "10.96.0.14"]));
  });

  test("a client that was refused is served from the same port when there is a backend", async () => {
    const probe = { protocol: "udp", sourcePort: firstPort + 11 } as const;
    expect(await cluster.see("client1", `${external}:80`, probe)).toBe("rejected");
    const slice = { ...endpoints("empty", [near]), ports: [{ name: "udp", protocol: "UDP", port: 80 }] };
    cluster.apply(slice);
    await until("the backend", async () =>
      (await cluster.see("client1", `${external}:80`, probe)).startsWith("allowed"),
    );
    cluster.remove(slice);
    await until("its end", async () => (await cluster.see("client1", `${external}:80`, probe)) === "rejected");
  });

  test("connections through an external and a cluster address are reset when their backend is gone", async () => {
    const echo = { ports: [{ name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: 30082 }] };
    const brief = await cluster.addPod("brief", "node", { app: "brief" });
    const slice = { ...endpoints("echo", [brief]), ports: [{ name: "echo", protocol: "TCP", port: 82 }] };
    const spec = { ...echo, externalIPs: ["198.51.100.10"] };
    await serveEchoes(cluster, brief);
    const answering = service("echo", { clusterIP: "10.96.0.16", nodePort: 30082, spec });
    cluster.apply(answering, slice);
    await cluster.carriedOut();
    await until("it", async () => (await cluster.see("client1", "198.51.100.10:82")).startsWith("allowed"));
    await through("master");
    const held = [
      hold(cluster, "198.51.100.10:82", firstPort + 100),
      hold(cluster, "10.96.0.16:82", firstPort + 101, far),
    ];
    await until("the connections", async () => held.every(({ echoed }) => echoed > 0));
    await cluster.removePod("brief");
    cluster.remove(slice);
    for (const { lines } of held)
      await until(
        "the reset",
        async () => lines.includes("error ECONNRESET"),
        () => lines.join(),
      );
    cluster.remove(answering);
  });

  test("a node that knows no backend answers for the one that sent it a packet: nothing goes round", async () => {
    const late = service("late", { clusterIP: "10.96.0.15", nodePort: 30996 });
    cluster.apply(late);
    await cluster.carriedOut();
    await cluster.killAgent("node"); // it no longer learns of backends
    const forwarded = async () => (await cluster.outcomes("master")).forward_service ?? 0;
    try {
      cluster.apply(endpoints("late", [near]));
      const before = await forwarded();
      await until("packets to be forwarded", async () => {
        expect(await cluster.see("client1", "172.31.1.8:30996")).toBe("rejected");
        return (await forwarded()) > before;
      });
      expect((await forwarded()) - before).toBe(1);
    } finally {
      cluster.remove(late, endpoints("late", [near]));
      await cluster.startAgent("node");
    }
  });
});
