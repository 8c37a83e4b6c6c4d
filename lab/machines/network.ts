import { existsSync, readdirSync } from "node:fs";
import { LAB_NETWORK, LAB_NETWORK_IPV6, LAB_SWITCH, LAB_SWITCH_IPV6 } from "../../components/documents/defaults.ts";
import { prefixLength } from "../../components/rules/addresses.ts";
import { register } from "../journal.ts";
import { belongsToLab, machineNamespace, switchNamespace } from "../names.ts";
import { attempt, run } from "./command.ts";

/** A machine in the network. */
export interface NetworkMachine {
  name: string;
  address: string;
  /** Absent: the machine has a link-local IPv6 address only. */
  addressIpv6?: string;
}

/** Prefix lengths of the machines' networks. */
const subnetLength = prefixLength(LAB_NETWORK);
const subnetLengthIpv6 = prefixLength(LAB_NETWORK_IPV6);

/** Whether this host's kernel has IPv6 (false when it was started with `ipv6.disable=1`). */
export const hasIpv6 = (): boolean => existsSync("/proc/sys/net/ipv6");

/** Name of the switch in its namespace. */
export const bridge = "switch";

/** Runs lines of ip(8) in a namespace, never in the host's own. */
async function ipBatch(namespace: string, purpose: string, lines: string[]): Promise<void> {
  await run(["ip", "-netns", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n`, purpose });
}

/** Network namespaces of a lab, by name. */
export function findNamespaces(lab: string): string[] {
  return existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => belongsToLab(lab, name)) : [];
}

async function addNamespace(lab: string, name: string): Promise<void> {
  register(lab, { kind: "namespace", name });
  await run(["ip", "netns", "add", name], { purpose: `create the network namespace ${name}` });
}

async function ensureSwitch(lab: string): Promise<void> {
  await ensureBridge(lab);
  if (hasIpv6()) await ensureSwitchIpv6(lab);
}

async function ensureBridge(lab: string): Promise<void> {
  const namespace = switchNamespace(lab);
  if (!existsSync(`/run/netns/${namespace}`)) await addNamespace(lab, namespace);
  const ready = await attempt(["ip", "-netns", namespace, "link", "show", "dev", bridge, "up"]);
  if (ready.status === 0 && ready.stdout !== "") return;
  await attempt(["ip", "-netns", namespace, "link", "delete", bridge]);
  await ipBatch(namespace, `create the switch of lab ${lab}`, [
    "link set lo up",
    `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
    `address add ${LAB_SWITCH}/${subnetLength} dev ${bridge}`,
    `link set ${bridge} up`,
  ]);
  await filterBridged(lab, false);
}

/** Gives the switch its IPv6 address. A switch routes IPv6 packets as it routes those of IPv4. */
async function ensureSwitchIpv6(lab: string): Promise<void> {
  const namespace = switchNamespace(lab);
  const { stdout } = await attempt(["ip", "-netns", namespace, "-json", "address", "show", "dev", bridge]);
  if (stdout.includes(`"${LAB_SWITCH_IPV6}"`)) return;
  await run([...inSwitch(lab), "sysctl", "--quiet", "--write", "net.ipv6.conf.all.forwarding=1"], {
    purpose: `let the switch of lab ${lab} route IPv6`,
  });
  await ipBatch(namespace, `give the switch of lab ${lab} its IPv6 address`, [
    `address replace ${LAB_SWITCH_IPV6}/${subnetLengthIpv6} dev ${bridge} nodad`,
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

/** The prefix of a command line that runs in the switch's namespace. */
export const inSwitch = (lab: string): string[] => ["nsenter", `--net=/run/netns/${switchNamespace(lab)}`];

async function isConnected(namespace: string, address: string): Promise<boolean> {
  const shown = await attempt(["ip", "-netns", namespace, "-json", "route", "show", "default"]);
  const addresses = await attempt(["ip", "-netns", namespace, "-json", "address", "show", "dev", "eth0", "up"]);
  return shown.stdout.includes(LAB_SWITCH) && addresses.stdout.includes(`"${address}"`);
}

/** Creates a machine's namespace and its port of the switch. A connected machine is not changed; an incomplete one is repaired. */
async function connectMachine(lab: string, machine: NetworkMachine): Promise<void> {
  const { name, addressIpv6 } = machine;
  await connectPort(lab, machine);
  if (addressIpv6 === undefined || !hasIpv6()) return;
  // Duplicate address detection takes a second, in which the address is not usable.
  await ipBatch(machineNamespace(lab, name), `give machine ${name} its IPv6 address`, [
    `address replace ${addressIpv6}/${subnetLengthIpv6} dev eth0 nodad`,
    `route replace ::/0 via ${LAB_SWITCH_IPV6} dev eth0`,
  ]);
}

async function connectPort(lab: string, { name, address }: NetworkMachine): Promise<void> {
  const namespace = machineNamespace(lab, name);
  if (!existsSync(`/run/netns/${namespace}`)) await addNamespace(lab, namespace);
  else if (await isConnected(namespace, address)) return;
  // Deleting one end of a veth pair deletes the other. The kernel removes those of a deleted namespace with a delay.
  await attempt(["ip", "-netns", namespace, "link", "delete", "eth0"]);
  await attempt(["ip", "-netns", switchNamespace(lab), "link", "delete", portName(name)]);
  await ipBatch(switchNamespace(lab), `connect machine ${name} to the switch`, [
    `link add ${portName(name)} type veth peer name eth0 netns ${namespace}`,
    `link set ${portName(name)} master ${bridge} up`,
  ]);
  await ipBatch(namespace, `configure the network of machine ${name}`, [
    "link set lo up",
    `address add ${address}/${subnetLength} dev eth0`,
    "link set eth0 up",
    `route add default via ${LAB_SWITCH}`,
  ]);
}

/** The port of a machine. An interface name has at most 15 characters (IFNAMSIZ); longer machine names are distinguished by their end. */
export const portName = (machine: string): string => `to-${machine.slice(-12)}`;

/** Creates the switch and connects machines to it. Correct existing parts are not changed. */
export async function createNetwork(lab: string, machines: NetworkMachine[]): Promise<void> {
  await ensureSwitch(lab);
  await Promise.all(machines.map((machine) => connectMachine(lab, machine)));
}

/** Adds an address to the switch, which machines reach like everything outside their network. */
export async function addSwitchAddress(lab: string, address: string): Promise<void> {
  await ipBatch(switchNamespace(lab), `give the switch the address ${address}`, [
    `address replace ${address} dev ${bridge}`,
  ]);
}

/** Removes network namespaces, with all links, routes, filters and attached programs in them. */
export async function removeNamespaces(names: string[]): Promise<void> {
  await Promise.all(names.map((name) => run(["ip", "netns", "delete", name], { purpose: `remove namespace ${name}` })));
  // ip(8) mounts the folder on itself when it creates the first namespace of a host, and never unmounts it.
  if (names.length > 0 && readdirSync("/run/netns").length === 0) await attempt(["umount", "/run/netns"]);
}
