import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, type NodeName, nodes, onlyFrom, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serveProbes } from "./traffic/serving.ts";

// Walks 6 to 9: a client, a node port, a backend here or there, in both return modes, with and without TCX. How programs are attached and what
// they decide do not depend on each other (test/packets has all decisions), so two clusters show both.
describe.each([
  { mode: "DSR", attach: "auto" },
  { mode: "Tunnel", attach: "clsact" },
] as const)("node port, return mode $mode, attached by $attach", ({ mode, attach }) => {
  let cluster: BareCluster;
  let web: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ attach, xdp: mode === "DSR" });
    web = await cluster.addPod("web", "node", { app: "web" });
    cluster.apply(
      returnMode(mode),
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
      service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
      endpoints("dns", [web], "UDP"),
      service("host", { clusterIP: "10.96.0.12", nodePort: 30090 }),
      endpoints("host", [{ address: nodes.node, node: "node" }]),
      service("empty", { clusterIP: "10.96.0.13", nodePort: 30999 }),
    );
    await serveProbes(cluster, "node", "default/host", "tcp:80");
    await cluster.carriedOut();
    await until("the host backend", async () =>
      (await cluster.see("client1", "172.31.1.8:30090")).startsWith("allowed"),
    );
  });
  afterAll(() => cluster?.close());

  const entries = Object.keys(nodes) as NodeName[];

  test.each(entries)("through %s: the pod sees both clients' own addresses", async (entry) => {
    expect(await cluster.see("client1", `${nodes[entry]}:30604`)).toBe("allowed default/web saw 172.31.1.55");
    expect(await cluster.see("client2", `${nodes[entry]}:30604`)).toBe("allowed default/web saw 172.31.1.162");
  });

  test.each(entries)("through %s: UDP too", async (entry) => {
    const seen = await cluster.see("client1", `${nodes[entry]}:30053`, { protocol: "udp" });
    expect(seen).toBe("allowed default/web saw 172.31.1.55");
  });

  test.each(entries)("through %s: a backend in the node's own network", async (entry) => {
    expect(await cluster.see("client1", `${nodes[entry]}:30090`)).toBe("allowed default/host saw 172.31.1.55");
  });

  test.each(entries)("through %s: a service without backends rejects at once", async (entry) => {
    expect(await cluster.see("client1", `${nodes[entry]}:30999`)).toBe("rejected");
  });

  test("the reply comes back through the entry node in tunnel mode only", async () => {
    const count = 20;
    const before = await cluster.outcomes("master");
    const asked = await cluster.probe("client1", { to: "172.31.1.8:30604", count });
    expect(asked.every(({ verdict }) => verdict === "allowed")).toBe(true);
    const after = await cluster.outcomes("master");
    const passed = (after.return_forwarded ?? 0) - (before.return_forwarded ?? 0);
    if (mode === "DSR") expect(passed).toBe(0);
    else expect(passed).toBeGreaterThanOrEqual(2 * count); // at least SYN-ACK and the answer
    expect((after.forward_service ?? 0) - (before.forward_service ?? 0)).toBeGreaterThanOrEqual(2 * count);
  });

  test("a policy that allows one client admits it and drops the other, also through the other node", async () => {
    const policy = onlyFrom("web", "172.31.1.55/32");
    cluster.apply(policy);
    try {
      await cluster.carriedOut();
      expect(await cluster.see("client2", "172.31.1.8:30604")).toBe("dropped");
      expect(await cluster.see("client2", "172.31.1.207:30604")).toBe("dropped");
      expect(await cluster.see("client1", "172.31.1.8:30604")).toBe("allowed default/web saw 172.31.1.55");
      expect(await cluster.see("client1", "172.31.1.207:30604")).toBe("allowed default/web saw 172.31.1.55");
    } finally {
      cluster.remove(policy);
    }
    await cluster.carriedOut();
    expect(await cluster.see("client2", "172.31.1.8:30604")).toMatch(/^allowed/);
  });

  test("a client may use one source port for every address of the service, one after the other", async () => {
    for (const to of ["172.31.1.8:30604", "172.31.1.207:30604", "172.31.1.8:30090", "172.31.1.8:30604"]) {
      const [result] = await cluster.probe("client1", { to, sourcePort: 40_001 });
      expect(result).toMatchObject({ verdict: "allowed", source: "172.31.1.55" });
    }
  });

  // On a veth pair it is slower than tc, so that agents use it there only for this test (docs/decisions/0029).
  if (mode !== "DSR") return;
  describe("with XDP in the uplinks' cards", () => {
    const early = (node: NodeName) => Number(cluster.totals(node).get("forward_service")?.early ?? 0n);
    const programs = async (machine: NodeName) => {
      const shown = await cluster.run(machine, ["ip", "-json", "-details", "link", "show", "dev", "eth0"]);
      return JSON.parse(shown)[0].xdp?.prog?.name ?? "none";
    };
    const asked = async (annotations: Record<string, string>, wanted: string) => {
      cluster.apply(felix(annotations, { bpfExternalServiceMode: mode }));
      await cluster.carriedOut();
      for (const name of entries)
        await until(
          `the card of ${name}`,
          async () => (await programs(name)) === wanted,
          () => cluster.log(name),
        );
    };

    test("clients see no difference while some of their packets never reach tc, and none when it is switched off", async () => {
      await asked({ "ebpf-dataplane.io/xdp": "Native" }, "xdp_uplink");
      const sees = async () => {
        const tcp = await cluster.probe("client1", { to: "172.31.1.8:30604", count: 5 });
        const udp = await cluster.probe("client1", { to: "172.31.1.8:30053", count: 5, protocol: "udp" });
        for (const { verdict, server, source } of [...tcp, ...udp])
          expect([verdict, server, source]).toEqual(["allowed", "default/web", "172.31.1.55"]);
      };
      await until("the card of master to forward packets", async () => {
        await sees();
        return early("master") > 0;
      });
      await asked({}, "none");
      const before = early("master");
      await sees();
      expect(early("master")).toBe(before);
    });
  });
});
