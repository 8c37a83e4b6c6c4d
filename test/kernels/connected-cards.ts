// Network cards of a guest as the uplinks of a lab's nodes.
import { readdirSync, readFileSync } from "node:fs";
import { run } from "../../lab/machines/command.ts";
import { ipBatch, setInNamespace } from "../../lab/machines/namespaces.ts";
import { portOf } from "../../lab/machines/switch.ts";
import { machineNamespace, switchNamespace } from "../../lab/names.ts";
import { type NodeName, nodes, nodesIpv6 } from "../datapath/cluster/objects.ts";
import { cables } from "./virtual-cards.ts";

/** The lab's, as routers of its machines. */
const SWITCH = { ipv4: "172.31.1.1", ipv6: "fd00:172:31:1::1" };

/** Puts cards in the place of the nodes' virtual links. */
export async function connectCards(lab: string): Promise<void> {
  for (const node of Object.keys(cables) as NodeName[]) {
    const { card, port } = cables[node];
    const [namespace, ports] = [machineNamespace(lab, node), switchNamespace(lab)];
    await run(["ip", "-netns", namespace, "link", "delete", "eth0"]);
    await run(["ip", "link", "set", "dev", deviceWith(port.mac), "netns", ports, "name", portOf(node, "eth0")]);
    await run(["ip", "link", "set", "dev", deviceWith(card.mac), "netns", namespace, "name", "eth0"]);
    await ipBatch(ports, `connect the card of ${node}`, [`link set ${portOf(node, "eth0")} master switch up`]);
    await setInNamespace(namespace, `let the card of ${node} have its address at once`, [
      "net.ipv6.conf.eth0.accept_dad=0",
    ]);
    await ipBatch(namespace, `configure the card of ${node}`, [`address add ${nodes[node]}/24 dev eth0`]);
    await raiseUplink(lab, node);
  }
}

/** What a link loses when it goes down. */
export async function raiseUplink(lab: string, node: NodeName): Promise<void> {
  const namespace = machineNamespace(lab, node);
  await ipBatch(namespace, `raise the card of ${node}`, [
    "link set eth0 up",
    `address replace ${nodesIpv6[node]}/64 dev eth0 nodad`,
    `route replace default via ${SWITCH.ipv4}`,
    `route replace ::/0 via ${SWITCH.ipv6} dev eth0`,
  ]);
}

function deviceWith(mac: string): string {
  const found = readdirSync("/sys/class/net").find(
    (name) => readFileSync(`/sys/class/net/${name}/address`, "utf8").trim() === mac,
  );
  if (!found) throw new Error(`The guest has no card ${mac}.`);
  return found;
}

/** Of ports of the switch. */
export async function setPortsMtu(lab: string, mtu: number, ...machines: string[]): Promise<void> {
  const lines = machines.map((machine) => `link set ${portOf(machine, "eth0")} mtu ${mtu}`);
  await ipBatch(switchNamespace(lab), `set the MTU of ${machines.join(" and ")}`, lines);
}
