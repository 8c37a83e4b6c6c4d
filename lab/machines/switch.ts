import { gatewayOf, type LabSubnet, subnetIpv6 } from "../../components/documents/lab-network.ts";
import { isIpv6, prefixLength } from "../../components/rules/addresses.ts";
import { hash32 } from "../../model/hash.ts";
import { switchNamespace } from "../names.ts";
import { attempt, run } from "./command.ts";
import { ensureNamespace, hasIpv6, inNamespace, ipBatch, setInNamespace } from "./namespaces.ts";

/** Name of the first subnet's bridge in the switch's namespace. */
export const bridge = "switch";

/** Name of a subnet's bridge. */
export const bridgeOf = (subnet: number): string => (subnet === 0 ? bridge : `${bridge}${subnet}`);

/** The port of a machine. An interface name has at most 15 characters (IFNAMSIZ): of longer names it is the end, and a hash that tells them apart. */
export const portName = (machine: string): string =>
  machine.length <= 12 ? `to-${machine}` : `to-${hash32(machine).toString(16).padStart(8, "0")}${machine.slice(-4)}`;

/** The port of a machine in a subnet; only a router, of which a lab has one, is in another than the first by more than one. */
export const portOf = (machine: string, device: string): string =>
  device === "eth0" ? portName(machine) : `router-${device}`;

/** The prefix of a command line that runs in the switch's namespace. */
export const inSwitch = (lab: string): string[] => inNamespace(switchNamespace(lab));

/**
 * Creates the switch with a bridge for each subnet.
 * @param isGateway whether it has the gateway's addresses; false where a router has them.
 */
export async function ensureSwitch(lab: string, subnets: LabSubnet[], isGateway: boolean): Promise<void> {
  const isThere = await ensureNamespace(lab, switchNamespace(lab));
  let isNew = false;
  for (const [index, subnet] of subnets.entries()) {
    const name = bridgeOf(index);
    if (isThere && (await isUp(lab, name))) continue;
    const gateway = isGateway && !isIpv6(subnet.cidr);
    await createBridge(lab, name, gateway ? `${gatewayOf(subnet.cidr)}/${prefixLength(subnet.cidr)}` : undefined);
    isNew = true;
  }
  if (isNew) await filterBridged(lab, false);
  if (isGateway && hasIpv6()) for (const subnet of subnets) await ensureGatewayIpv6(lab, subnetIpv6(subnet));
}

async function isUp(lab: string, name: string): Promise<boolean> {
  const ready = await attempt(["ip", "-netns", switchNamespace(lab), "link", "show", "dev", name, "up"]);
  return ready.status === 0 && ready.stdout !== "";
}

async function createBridge(lab: string, name: string, gateway: string | undefined): Promise<void> {
  const namespace = switchNamespace(lab);
  await attempt(["ip", "-netns", namespace, "link", "delete", name]);
  await ipBatch(namespace, `create the switch of lab ${lab}`, [
    "link set lo up",
    `link add ${name} type bridge forward_delay 0 mcast_snooping 0`,
    ...(gateway === undefined ? [] : [`address add ${gateway} dev ${name}`]),
    `link set ${name} up`,
  ]);
}

/** Gives the switch its IPv6 address. A switch routes IPv6 packets as it routes those of IPv4. */
async function ensureGatewayIpv6(lab: string, network: string): Promise<void> {
  const namespace = switchNamespace(lab);
  const address = gatewayOf(network);
  const { stdout } = await attempt(["ip", "-netns", namespace, "-json", "address", "show", "dev", bridge]);
  if (stdout.includes(`"${address}"`)) return;
  const purpose = `let the switch of lab ${lab} route IPv6`;
  await setInNamespace(namespace, purpose, ["net.ipv6.conf.all.forwarding=1"]);
  await ipBatch(namespace, `give the switch of lab ${lab} its IPv6 address`, [
    `address replace ${address}/${prefixLength(network)} dev ${bridge} nodad`,
  ]);
}

/**
 * Whether packets between two machines pass the switch's netfilter (br_netfilter), like the packets that it routes. This costs more
 * than everything else on the link, so a new switch has it off.
 */
export async function filterBridged(lab: string, on: boolean): Promise<void> {
  const settings = ["iptables", ...(hasIpv6() ? ["ip6tables"] : [])].map(
    (tables) => `net.bridge.bridge-nf-call-${tables}=${on ? 1 : 0}`,
  );
  const ignore = on ? [] : ["--ignore"]; // without br_netfilter the kernel has no such setting, so there is nothing to turn off
  await run([...inSwitch(lab), "sysctl", "--quiet", ...ignore, "--write", ...settings], {
    purpose: `turn the filter of bridged packets of lab ${lab} ${on ? "on" : "off"}`,
  });
}

/** Adds an address to the switch, which machines reach like everything outside their network. */
export async function addSwitchAddress(lab: string, address: string): Promise<void> {
  await ipBatch(switchNamespace(lab), `give the switch the address ${address}`, [
    `address replace ${address} dev ${bridge}`,
  ]);
}
