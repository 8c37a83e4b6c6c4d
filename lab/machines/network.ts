import {
  gatewayOf,
  interfacesOf,
  type LabInterface,
  type LabLink,
  type LabSubnet,
  linksOf,
  subnetIpv6,
  subnetsOf,
} from "../../components/documents/lab-network.ts";
import { isIpv6, prefixLength } from "../../components/rules/addresses.ts";
import { machineNamespace, switchNamespace } from "../names.ts";
import { attempt } from "./command.ts";
import { impair, requireImpairment } from "./impairment.ts";
import { ensureNamespace, hasIpv6, ipBatch, setInNamespace } from "./namespaces.ts";
import { bridgeOf, ensureSwitch, portOf } from "./switch.ts";

/** A machine in the network. */
export interface NetworkMachine {
  name: string;
  /** Of IPv4; in a network of IPv6 alone the same as `addressIpv6`. */
  address: string;
  /** Absent: the machine has a link-local IPv6 address only. */
  addressIpv6?: string | undefined;
  /** "router": it is in all subnets, and is their gateway. */
  role?: string | undefined;
  subnet?: string | undefined;
  link?: LabLink | undefined;
}

/** One link of a machine: its interface, and the subnet's gateway unless it is the machine itself. */
interface Connection extends LabInterface {
  machine: string;
  length: number;
  lengthIpv6: number;
  gateway: string | undefined;
  gatewayIpv6: string | undefined;
}

function connectionsOf(machine: NetworkMachine, subnets: LabSubnet[]): Connection[] {
  const isRouter = machine.role === "router";
  return interfacesOf(subnets, machine).map((one) => {
    const subnet = subnets[one.subnet] as LabSubnet;
    const networkIpv6 = subnetIpv6(subnet);
    return {
      ...one,
      machine: machine.name,
      length: prefixLength(subnet.cidr),
      lengthIpv6: prefixLength(networkIpv6),
      gateway: isRouter ? undefined : gatewayOf(subnet.cidr),
      gatewayIpv6: isRouter ? undefined : gatewayOf(networkIpv6),
    };
  });
}

async function isConnected(namespace: string, { device, address, gateway }: Connection): Promise<boolean> {
  const family = isIpv6(address) ? "-6" : "-4";
  const shown = await attempt(["ip", "-netns", namespace, "-json", family, "route", "show", "default"]);
  const addresses = await attempt(["ip", "-netns", namespace, "-json", "address", "show", "dev", device, "up"]);
  return (gateway === undefined || shown.stdout.includes(`"${gateway}"`)) && addresses.stdout.includes(`"${address}"`);
}

/** Creates a machine's namespace and its ports of the switch. A connected machine is not changed; an incomplete one is repaired. */
async function connectMachine(lab: string, machine: NetworkMachine, subnets: LabSubnet[]): Promise<void> {
  const namespace = machineNamespace(lab, machine.name);
  const isThere = await ensureNamespace(lab, namespace);
  if (machine.role === "router") await letRoute(namespace, machine.name);
  for (const connection of connectionsOf(machine, subnets)) {
    if (!isThere || !(await isConnected(namespace, connection))) await connectPort(lab, connection);
    await configureIpv6(namespace, connection);
  }
}

/**
 * Turns a machine into a router. Replies of another machine's address (direct server return) arrive where the router would not send
 * to that address, so it checks sources as Debian does: loosely (rp_filter 2, RFC 3704 section 2.4). A router asks for neighbors with its
 * link-local address, which is usable only after duplicate address detection; here it is usable at once.
 */
async function letRoute(namespace: string, name: string): Promise<void> {
  const settings = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=2"];
  if (hasIpv6()) settings.push("net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.accept_dad=0");
  await setInNamespace(namespace, `let machine ${name} route`, settings);
}

async function configureIpv6(namespace: string, connection: Connection): Promise<void> {
  const { machine, device, addressIpv6, lengthIpv6, gatewayIpv6 } = connection;
  if (addressIpv6 === undefined || !hasIpv6()) return;
  // Duplicate address detection takes a second, in which the address is not usable.
  await ipBatch(namespace, `give machine ${machine} its IPv6 address`, [
    `address replace ${addressIpv6}/${lengthIpv6} dev ${device} nodad`,
    ...(gatewayIpv6 === undefined ? [] : [`route replace ::/0 via ${gatewayIpv6} dev ${device}`]),
  ]);
}

async function connectPort(lab: string, connection: Connection): Promise<void> {
  const { machine, device, subnet, address, length, gateway, link } = connection;
  const [namespace, ports] = [machineNamespace(lab, machine), switchNamespace(lab)];
  const port = portOf(machine, device);
  const mtu = link.mtu === undefined ? "" : ` mtu ${link.mtu}`;
  // Deleting one end of a veth pair deletes the other. The kernel removes those of a deleted namespace with a delay.
  await attempt(["ip", "-netns", namespace, "link", "delete", device]);
  await attempt(["ip", "-netns", ports, "link", "delete", port]);
  await ipBatch(ports, `connect machine ${machine} to the switch`, [
    `link add ${port}${mtu} type veth peer name ${device}${mtu} netns ${namespace}`,
    `link set ${port} master ${bridgeOf(subnet)} up`,
  ]);
  await impair(ports, port, machine, link);
  await ipBatch(namespace, `configure the network of machine ${machine}`, [
    "link set lo up",
    ...(isIpv6(address) ? [] : [`address add ${address}/${length} dev ${device}`]),
    `link set ${device} up`,
    ...(gateway === undefined || isIpv6(gateway) ? [] : [`route add default via ${gateway}`]),
  ]);
}

/**
 * Creates the switch and connects machines to it. Correct existing parts are not changed.
 * @param subnets left out: one, whose gateway is the switch.
 */
export async function createNetwork(lab: string, machines: NetworkMachine[], subnets = subnetsOf({})): Promise<void> {
  await requireImpairment(linksOf(subnets, machines));
  const hasRouter = machines.some(({ role }) => role === "router");
  await ensureSwitch(lab, subnets, !hasRouter);
  await Promise.all(machines.map((machine) => connectMachine(lab, machine, subnets)));
}
