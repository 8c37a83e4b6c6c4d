// A whole cluster that encrypts, on a kernel with WireGuard: real agents and CNI plugins of two nodes, an outside client, and everything that the nodes
// send each other captured on the switch. `encrypted-cluster` prints a line of JSON for each question (findings.ts reads them).
import { release } from "node:os";
import { clients, clientsIpv6, nodes, nodesIpv6, onlyFrom } from "../datapath/cluster/objects.ts";
import { AT_MASTER, configuration, type EncryptedLab, startEncryptedLab, tellProbe } from "./encrypted-lab.ts";
import { testNodeWithoutEncryption, testNodeWithoutKey } from "./encrypted-refusals.ts";
import { testLargePackets, testTransfers } from "./encrypted-transfers.ts";
import { say, tell } from "./told.ts";

async function main(): Promise<void> {
  say({ kernel: release(), processor: process.arch });
  const lab = await startEncryptedLab();
  try {
    await testReachability(lab);
    await testPolicy(lab);
    await testLargePackets(lab);
    await testTransfers(lab);
    tellWire(lab);
    await testNodeWithoutKey(lab);
    await testNodeWithoutEncryption(lab);
  } finally {
    lab.wire.close();
    await lab.cluster.close();
  }
  say({ end: true });
}

async function testReachability(lab: EncryptedLab): Promise<void> {
  const { cluster, web, shop } = lab;
  const saw = (address: string | undefined) => `allowed default/web saw ${address}`;
  await tellProbe(lab, "a pod of the other node", ["default/shop", `${web.address}:80`], saw(shop.address));
  await tellProbe(lab, "the same in IPv6", ["default/shop", `[${web.addressIpv6}]:80`], saw(shop.addressIpv6));
  const back = `allowed default/shop saw ${web.address}`;
  await tellProbe(lab, "the other way", ["default/web", `${shop.address}:80`], back);
  await tellProbe(lab, "a Service", ["default/shop", "10.96.0.10:80"], saw(shop.address));
  await tellProbe(lab, "a Service in IPv6", ["default/shop", "[fd00:10:96::10]:80"], saw(shop.addressIpv6));
  await tellProbe(lab, "a process of a node, to a Service", ["master", "10.96.0.10:80"], saw(nodes.master));
  for (const mode of ["DSR", "Tunnel"] as const) {
    cluster.apply(configuration(mode));
    await cluster.carriedOut();
    const returned = async () => (await cluster.outcomes("master")).return_forwarded ?? 0;
    const before = await returned();
    await tellProbe(lab, `${mode}, a node port`, ["client1", AT_MASTER.web], saw(clients.client1));
    const atIpv6 = `[${nodesIpv6.master}]:30604`;
    await tellProbe(lab, `${mode}, a node port in IPv6`, ["client1", atIpv6], saw(clientsIpv6.client1));
    const way = (await returned()) > before ? "through the entry node" : "direct";
    tell("connections", `${mode}, the way of replies`, way, mode === "DSR" ? "direct" : "through the entry node");
  }
}

async function testPolicy(lab: EncryptedLab): Promise<void> {
  const { cluster, web, shop } = lab;
  const policy = onlyFrom("web", `${clients.client1}/32`);
  cluster.apply(policy);
  await cluster.carriedOut();
  const allowed = (address: string) => `allowed default/web saw ${address}`;
  await tellProbe(lab, "a policy, an allowed client", ["client1", AT_MASTER.web], allowed(clients.client1));
  await tellProbe(lab, "a policy, another client", ["client2", AT_MASTER.web], "dropped");
  await tellProbe(lab, "a policy, a pod of the other node", ["default/shop", `${web.address}:80`], "dropped");
  cluster.remove(policy);
  await cluster.carriedOut();
  await tellProbe(lab, "without the policy", ["default/shop", `${web.address}:80`], allowed(shop.address));
}

/** WireGuard's packets are cut where a client's piece does not fit once it is wrapped and encrypted. Pieces of another packet would have another first one. */
const EXPECTED = /^(arp|discovery|other|udp > 51820(, a piece .*)?|protocol 17, a piece .*)$/;

function tellWire({ wire }: EncryptedLab): void {
  const { kinds, readable } = wire.between();
  const others = Object.keys(kinds).filter((kind) => !EXPECTED.test(kind));
  tell("connections", "what the nodes sent each other", others.join() || "WireGuard alone", "WireGuard alone");
  const all = (kinds["udp > 51820"] ?? 0) > 200 ? "many" : "few";
  tell("connections", "frames of that which can be read", `${readable} of ${all}`, "0 of many");
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    const failed = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ connections: "preparation", failed });
    process.exit(1);
  },
);
