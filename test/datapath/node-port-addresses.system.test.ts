import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, node, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");
const SECOND = "172.31.1.30";

let cluster: BareCluster;
let near: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  await cluster.run("master", ["ip", "address", "add", `${SECOND}/24`, "dev", "eth0"]);
  const addresses = [nodes.master, SECOND].map((address) => ({ type: "InternalIP", address }));
  cluster.apply({ ...node("master"), status: { addresses } });
  const far = await cluster.addPod("far", "node", { app: "far" });
  near = await cluster.addPod("near", "master", { app: "near" });
  cluster.apply(
    service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
    endpoints("web", [far]),
    service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
    endpoints("dns", [far], "UDP"),
  );
});
afterAll(() => cluster?.close());

/** The node master has two addresses and its loopback; the backend is on the other node. */
describe.each(["All", "HostOnly"] as const)("where node ports answer, sockets %s", (sockets) => {
  beforeAll(async () => {
    configure();
    await cluster.carriedOut();
    await agreed(SECOND, "served");
  });

  function configure(addresses?: string): void {
    const annotations = { "ebpf-dataplane.io/socket-translation": sockets };
    cluster.apply(
      felix(addresses ? { ...annotations, "ebpf-dataplane.io/node-port-addresses": addresses } : annotations),
    );
  }

  /** By both protocols, which must agree. */
  async function see(from: From, address: string): Promise<string> {
    const seen = [
      await cluster.see(from, `${address}:30604`),
      await cluster.see(from, `${address}:30053`, { protocol: "udp" }),
    ].map((verdict) => (verdict.startsWith("allowed default/far") ? "served" : verdict));
    return seen[0] === seen[1] ? (seen[0] ?? "") : seen.join(", ");
  }

  /** A lasting, connected UDP socket of the node: what it is told, until it is ended. */
  function lasting(address: string): { printed: () => string; end: () => void } {
    const asked = JSON.stringify({ how: "connected", family: 4, to: [`${address}:30053`], count: 5_000, every: 100 });
    let printed = "";
    const program = cluster.spawn("master", [process.execPath, client, asked]);
    program.stdout?.on("data", (text) => {
      printed += text;
    });
    return { printed: () => printed, end: () => program.kill() };
  }

  const everybody = ["client1", "default/near", "node"] as const;

  /** Waits for both agents: the one of a socket's node translates where it asks, the one of the address where its packets arrive. */
  async function agreed(address: string, verdict: string): Promise<void> {
    for (const from of everybody)
      await until(`${address} to be ${verdict} from ${from}`, async () => (await see(from, address)) === verdict);
  }

  test("at every address of the nodes, and at their loopback, when nothing is said", async () => {
    for (const from of everybody)
      for (const address of [nodes.master, SECOND, nodes.node]) expect(await see(from, address), from).toBe("served");
    expect(await see("master", "127.0.0.1")).toBe("served");
    expect(near.node).toBe("master");
  });

  test("primary: at the address by which a node is known, and a connected socket of another one is told", async () => {
    const { printed, end } = lasting(SECOND);
    await until("answers", async () => printed().includes('"answer"'));
    configure("primary");
    await cluster.carriedOut();
    await agreed(SECOND, "rejected");
    for (const from of everybody) {
      expect(await see(from, nodes.master), from).toBe("served");
      expect(await see(from, nodes.node), from).toBe("served");
      expect(await see(from, SECOND), from).toBe("rejected");
    }
    for (const loopback of ["127.0.0.1", "127.8.9.10"]) expect(await see("master", loopback)).toBe("rejected");
    await until("an error", async () => printed().includes("ECONNABORTED"), printed);
    end();
  });

  test("networks: at the addresses in them", async () => {
    configure(`${SECOND}/32,127.0.0.0/8`);
    await cluster.carriedOut();
    await agreed(SECOND, "served");
    for (const from of everybody) {
      expect(await see(from, SECOND), from).toBe("served");
      expect(await see(from, nodes.master), from).toBe("rejected");
      expect(await see(from, nodes.node), from).toBe("rejected");
    }
    for (const loopback of ["127.0.0.1", "127.8.9.10"]) expect(await see("master", loopback)).toBe("served");
  });
});
