// The shape of the local stack's lab: its machines and subnets, from counts.
import { labAddressIpv6 } from "../components/documents/lab.ts";
import { addressIpv6In, gatewayOf, labSubnetRule } from "../components/documents/lab-network.ts";
import { type LocalSubnet, type Machine, MachineRole } from "../components/index.ts";
import { isIpv6, prefixLength, subnetNetworkIpv6Rule } from "../components/rules/addresses.ts";

/** Largest counts of a shape. What the computer carries is less: `lab up` says so before it starts a machine. */
export const MOST = { nodes: 16, clients: 16 } as const;

export interface Asked {
  /** The control plane among them. */
  nodes: number;
  clients: number;
  /** Two subnets with a router between them, where no `subnets` say others. */
  router: boolean;
  /** Undefined: one flat network. */
  subnets: LocalSubnet[] | undefined;
  isIpv6Alone: boolean;
}

/** The machines by what they do, and what `LocalCluster` needs for them. */
export interface Shape {
  controlPlane: Machine;
  /** The node that nginx runs on: not the control plane, unless it is alone. */
  serving: Machine;
  /** Nodes that are neither. */
  others: Machine[];
  clients: Machine[];
  cluster: { machines: Machine[]; subnets?: LocalSubnet[] };
}

/** Why a list of subnets cannot be one: the path below it, and what is allowed there. */
export function subnetsFault(subnets: unknown): { path: string; received: unknown; allowed: string } | undefined {
  if (!Array.isArray(subnets) || subnets.length < 2)
    return {
      path: "",
      received: subnets,
      allowed: "a list of at least two subnets, like [{ name: west, cidr: 10.1.1.0/24 }, …]",
    };
  for (const [index, subnet] of subnets.entries()) {
    const cidr: unknown = subnet?.cidr;
    const rule = typeof cidr === "string" && isIpv6(cidr) ? subnetNetworkIpv6Rule : labSubnetRule;
    const allowed = typeof cidr === "string" ? rule(cidr) : "a network in quotes, like 10.1.1.0/24";
    if (allowed !== undefined) return { path: `[${index}].cidr`, received: cidr, allowed };
  }
  return undefined;
}

const ROUTED: LocalSubnet[] = [
  { name: "west", cidr: "172.31.1.0/25" },
  { name: "east", cidr: "172.31.1.128/25", cidrIpv6: "fd00:172:31:2::/64", link: { mtu: 1400 } },
];
const ROUTED_IPV6: LocalSubnet[] = [
  { name: "west", cidr: "fd00:172:31:1::/64" },
  { name: "east", cidr: "fd00:172:31:2::/64", link: { mtu: 1400 } },
];

/** @param asked counts within `MOST`, and subnets without a fault */
export function shapeOf(asked: Asked): Shape {
  const { isIpv6Alone } = asked;
  const subnets = asked.subnets ?? (asked.router ? (isIpv6Alone ? ROUTED_IPV6 : ROUTED) : undefined);
  const place = asked.subnets ? inTurn(asked.subnets) : lastNumbers(isIpv6Alone ? (subnets ?? FLAT_IPV6) : undefined);
  const nodes = Array.from({ length: asked.nodes }, (_, index): Machine => {
    if (index === 0) return { name: "master", role: MachineRole.ControlPlane, ...place("node", 0) };
    return { name: index === 1 ? "node" : `node${index}`, role: MachineRole.Worker, ...place("node", index) };
  });
  const clients = Array.from(
    { length: asked.clients },
    (_, index): Machine => ({ name: `client${index + 1}`, role: MachineRole.Client, ...place("client", index) }),
  );
  const [controlPlane, serving = controlPlane, ...others] = nodes as [Machine, ...Machine[]];
  const gateways = (subnets ?? [])
    .slice(0, 1)
    .map(({ cidr }) => ({ name: "router", role: MachineRole.Router, address: gatewayOf(cidr) }));
  const machines = [...gateways, ...nodes, ...clients];
  return { controlPlane, serving, others, clients, cluster: { machines, ...(subnets && { subnets }) } };
}

type Place = (kind: "node" | "client", index: number) => Pick<Machine, "address">;

const FLAT_IPV6: LocalSubnet[] = [{ name: "lab", cidr: "fd00:172:31:1::/64" }];
/** Last numbers of the first machines below and above 128, where the second of two subnets begins: they take turns. */
const FIRST = { node: [8, 207], client: [55, 162] } as const;

/** Addresses in 172.31.1.0/24, or those of IPv6 that end likewise. */
function lastNumbers(subnetsIpv6: LocalSubnet[] | undefined): Place {
  return (kind, index) => {
    const half = index % 2;
    const address = `172.31.1.${(FIRST[kind][half] ?? 0) + Math.floor(index / 2)}`;
    if (subnetsIpv6 === undefined) return { address };
    return { address: addressIpv6In((subnetsIpv6[half] ?? subnetsIpv6[0]) as LocalSubnet, address) };
  };
}

/** The next free address of each subnet in turn, nodes and clients each beginning with the first one. */
function inTurn(subnets: LocalSubnet[]): Place {
  const taken = subnets.map(() => 0);
  return (_, index) => {
    const turn = index % subnets.length;
    const { cidr } = subnets[turn] as LocalSubnet;
    const further = (taken[turn] ?? 0) + 1;
    taken[turn] = further;
    return { address: gatewayOf(cidr).replace(/\d+$/, (last) => `${Number(last) + further}`) };
  };
}

/** The subnet that has fewer addresses than machines, as a fault of it. */
export function roomFault(subnets: LocalSubnet[], { nodes, clients }: Pick<Asked, "nodes" | "clients">) {
  for (const [index, { cidr }] of subnets.entries()) {
    const here = [nodes, clients].reduce((sum, count) => sum + Math.ceil((count - index) / subnets.length), 0);
    const room = isIpv6(cidr) ? Number.POSITIVE_INFINITY : 2 ** (32 - prefixLength(cidr)) - 3;
    if (here > room)
      return {
        path: `[${index}].cidr`,
        received: cidr,
        allowed: `larger: ${here} machines are to be in it, and it has room for ${room}`,
      };
  }
  return undefined;
}

/** A machine's addresses, by family. */
export function addressesOf({ cluster }: Shape, machine: Machine): { IPv4: string; IPv6: string } {
  return { IPv4: machine.address, IPv6: labAddressIpv6(machine, cluster) };
}
