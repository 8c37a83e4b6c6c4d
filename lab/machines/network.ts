import { existsSync, readdirSync } from "node:fs";
import { LAB_NETWORK, LAB_SWITCH } from "../../components/documents/defaults.ts";
import { prefixLength } from "../../components/rules/addresses.ts";
import { register } from "../journal.ts";
import { belongsToLab, machineNamespace, switchNamespace } from "../names.ts";
import { attempt, run } from "./command.ts";

/** A machine as the network knows it. */
export interface NetworkMachine {
  name: string;
  address: string;
}

/** Length of the prefix that all machines share. */
const subnetLength = prefixLength(LAB_NETWORK);

/** Name of the switch in its namespace. */
export const bridge = "switch";

/** Runs lines of ip(8) within a namespace; the host's own namespace is never touched. */
async function ipBatch(namespace: string, purpose: string, lines: string[]): Promise<void> {
  await run(["ip", "-netns", namespace, "-batch", "-"], { input: `${lines.join("\n")}\n`, purpose });
}

/** Network namespaces of a lab, by name. */
export function findNamespaces(lab: string): string[] {
  return existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => belongsToLab(lab, name)) : [];
}

async function addNamespace(lab: string, name: string): Promise<void> {
  register(lab, { kind: "namespace", name });
  await run(["ip", "netns", "add", name], { purpose: `make the network namespace ${name}` });
}

async function ensureSwitch(lab: string): Promise<void> {
  const namespace = switchNamespace(lab);
  if (!existsSync(`/run/netns/${namespace}`)) await addNamespace(lab, namespace);
  const ready = await attempt(["ip", "-netns", namespace, "link", "show", "dev", bridge, "up"]);
  if (ready.status === 0 && ready.stdout !== "") return;
  await attempt(["ip", "-netns", namespace, "link", "delete", bridge]);
  await ipBatch(namespace, `make the switch of lab ${lab}`, [
    "link set lo up",
    `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
    `address add ${LAB_SWITCH}/${subnetLength} dev ${bridge}`,
    `link set ${bridge} up`,
  ]);
  await filterBridged(lab, false);
}

/**
 * Whether what crosses the switch between two machines passes its netfilter (br_netfilter), as what it routes does. It costs a
 * cable more than all else, so a switch begins without.
 */
export async function filterBridged(lab: string, on: boolean): Promise<void> {
  const setting = `net.bridge.bridge-nf-call-iptables=${on ? 1 : 0}`;
  const ignore = on ? [] : ["--ignore"]; // a kernel without br_netfilter has no such setting, and nothing to turn off
  await run([...inSwitch(lab), "sysctl", "--quiet", ...ignore, "--write", setting], {
    purpose: `turn the filter of bridged packets of lab ${lab} ${on ? "on" : "off"}`,
  });
}

/** How a command line begins that is to run at the switch. */
export const inSwitch = (lab: string): string[] => ["nsenter", `--net=/run/netns/${switchNamespace(lab)}`];

async function isConnected(namespace: string, address: string): Promise<boolean> {
  const shown = await attempt(["ip", "-netns", namespace, "-json", "route", "show", "default"]);
  const addresses = await attempt(["ip", "-netns", namespace, "-json", "address", "show", "dev", "eth0", "up"]);
  return shown.stdout.includes(LAB_SWITCH) && addresses.stdout.includes(`"${address}"`);
}

/** Gives a machine its namespace and a port of the switch. A connected one is left as it is, a half-made one is mended. */
async function connectMachine(lab: string, { name, address }: NetworkMachine): Promise<void> {
  const namespace = machineNamespace(lab, name);
  if (!existsSync(`/run/netns/${namespace}`)) await addNamespace(lab, namespace);
  else if (await isConnected(namespace, address)) return;
  // One end of a cable goes with the other. The kernel takes its time with those of a namespace that was removed.
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

/** The port of a machine. An interface name has at most 15 characters (IFNAMSIZ); longer machine names are told apart by their end. */
export const portName = (machine: string): string => `to-${machine.slice(-12)}`;

/** Makes the switch and connects machines to it; what is there and right stays. */
export async function createNetwork(lab: string, machines: NetworkMachine[]): Promise<void> {
  await ensureSwitch(lab);
  await Promise.all(machines.map((machine) => connectMachine(lab, machine)));
}

/** Gives the switch one more address, which machines reach as they reach everything outside. */
export async function addSwitchAddress(lab: string, address: string): Promise<void> {
  await ipBatch(switchNamespace(lab), `give the switch the address ${address}`, [
    `address replace ${address} dev ${bridge}`,
  ]);
}

/** Removes network namespaces, and with them every link, route, filter and attached program within. */
export async function removeNamespaces(names: string[]): Promise<void> {
  await Promise.all(names.map((name) => run(["ip", "netns", "delete", name], { purpose: `remove namespace ${name}` })));
  // ip(8) mounts the folder on itself when it makes the first namespace of a host, and leaves that to others.
  if (names.length > 0 && readdirSync("/run/netns").length === 0) await attempt(["umount", "/run/netns"]);
}
