// Connections of pods, nodes and clients through real agents, on the kernel and processor of a guest: two nodes and two clients (test/datapath). `connections`
// prints a line of JSON for each (findings.ts reads them).
import { release } from "node:os";
import type { Probe } from "../../probe/batch.ts";
import { BareCluster, type From } from "../datapath/cluster/bare-cluster.ts";
import {
  clients,
  clientsIpv6,
  endpoints,
  endpointsIpv6,
  type NodeName,
  nodes,
  nodesIpv6,
  onlyFrom,
  returnMode,
  service,
} from "../datapath/cluster/objects.ts";
import { serveEchoes } from "../datapath/traffic/serving.ts";
import { say, tell } from "./told.ts";

/** An emulated processor can take seconds for what takes milliseconds; what is dropped has to be waited for as long. */
const PATIENCE = { timeoutMs: 10_000 };
const DROPPED = { timeoutMs: 4_000 };

async function main(): Promise<void> {
  say({ kernel: release(), processor: process.arch });
  const cluster = await BareCluster.start({ stack: "dual" });
  try {
    await walk(cluster);
  } finally {
    await cluster.close();
  }
  say({ end: true });
}

async function walk(cluster: BareCluster): Promise<void> {
  const web = await cluster.addPod("web", "node", { app: "web" });
  const shop = await cluster.addPod("shop", "master", { app: "shop" });
  cluster.apply(
    returnMode("DSR"),
    service("web", { clusterIP: "10.96.0.10", clusterIPv6: "fd00:10:96::10", nodePort: 30604 }),
    endpoints("web", [web]),
    endpointsIpv6("web", [web]),
    service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" }),
    endpoints("dns", [web], "UDP"),
    service("empty", { clusterIP: "10.96.0.13", nodePort: 30999 }),
  );
  await cluster.carriedOut();
  const expect = async (title: string, from: From, to: string, expected: string, more: Partial<Probe> = PATIENCE) =>
    tell("connections", title, await cluster.see(from, to, more), expected);
  const saw = (address: string | undefined) => `allowed default/web saw ${address}`;

  for (const mode of ["DSR", "Tunnel"] as const) {
    cluster.apply(returnMode(mode));
    await cluster.carriedOut();
    const before = await cluster.outcomes("master");
    for (const entry of Object.keys(nodes) as NodeName[]) {
      const [at, atIpv6] = [`${nodes[entry]}:30604`, `[${nodesIpv6[entry]}]:30604`];
      await expect(`${mode}, a node port of ${entry}, IPv4`, "client1", at, saw(clients.client1));
      await expect(`${mode}, a node port of ${entry}, IPv6`, "client2", atIpv6, saw(clientsIpv6.client2));
      const udp = { ...PATIENCE, protocol: "udp" as const };
      await expect(
        `${mode}, a node port of ${entry}, UDP`,
        "client1",
        `${nodes[entry]}:30053`,
        saw(clients.client1),
        udp,
      );
    }
    const after = await cluster.outcomes("master");
    const returned = (after.return_forwarded ?? 0) > (before.return_forwarded ?? 0);
    tell("connections", `${mode}, the way of replies`, returned ? "through the entry node" : "direct", ways[mode]);
  }
  await expect("from a pod to a cluster address", "default/shop", "10.96.0.10:80", saw(shop.address));
  await expect("from a pod to a cluster address, IPv6", "default/shop", "[fd00:10:96::10]:80", saw(shop.addressIpv6));
  await expect("from a pod to another node's pod", "default/shop", `${web.address}:80`, saw(shop.address));
  await expect("a pod to itself, by its Service", "default/web", "10.96.0.10:80", saw(web.address));
  await expect("from a node to a cluster address", "master", "10.96.0.10:80", saw(nodes.master));
  await serveEchoes(cluster, web);
  const [echoed] = await cluster.probe("default/shop", { to: `${web.address}:82`, ...PATIENCE, size: 100_000 });
  tell("connections", "100 kB to another node's pod and back", `${echoed?.verdict}`, "allowed");
  await expect("a Service without backends", "client1", `${nodes.master}:30999`, "rejected");

  const policy = onlyFrom("web", `${clients.client1}/32`);
  cluster.apply(policy);
  await cluster.carriedOut();
  await expect("a policy, who is allowed", "client1", `${nodes.master}:30604`, saw(clients.client1));
  await expect("a policy, who is not", "client2", `${nodes.master}:30604`, "dropped", DROPPED);
  await expect("a policy, another pod", "default/shop", `${web.address}:80`, "dropped", DROPPED);
  cluster.remove(policy);
  await cluster.carriedOut();

  await cluster.endAgent("node");
  await expect("while an agent is away", "client2", `${nodes.node}:30604`, saw(clients.client2));
  await cluster.startAgent("node");
  await cluster.carriedOut();
  await expect("after an agent started again", "client2", `${nodes.node}:30604`, saw(clients.client2));
  await cluster.removePod("shop");
  await expect("after another pod was deleted", "client1", `${nodes.node}:30604`, saw(clients.client1));
}

const ways = { DSR: "direct", Tunnel: "through the entry node" } as const;

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    say({
      connections: "preparation",
      failed: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    process.exit(1);
  },
);
