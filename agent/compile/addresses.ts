import type { Address } from "../../model/address/address.ts";
import { broadcastOf, type Cidr, hostCidr, parseCidr } from "../../model/address/address.ts";
import { CidrIndex } from "../../model/address/cidr-index.ts";
import type { NodeDirectory } from "../../model/node/nodes.ts";
import type { HostDirectory } from "../../model/policy/host-directory.ts";
import type { Identity, IdentityTable } from "../../model/policy/identity.ts";
import type { PoolDirectory } from "../../model/pool/pools.ts";
import { each, type Steps } from "../../model/steps.ts";
import { type Location, LocationFlag, type Prefix } from "../kernel/layout.gen.ts";
import { encapsulationFlags, poolFlags } from "./pools.ts";

/** One line of the address book before it has its identity's number. */
export interface PlacedAddress {
  readonly owner: string;
  readonly cidr: Cidr;
  readonly key: Prefix;
  readonly place: Pick<Location, "flags" | "node">;
  readonly identity: Identity | undefined;
}

const NOWHERE = { flags: 0, node: "::" };
/** Addresses of each node's loopback. The packet path asks the first of a family for all of them. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"].map(parseCidr);

/** Where addresses are. */
export interface Whereabouts {
  readonly nodes: NodeDirectory;
  readonly pools: PoolDirectory;
  /** Networks in which Services alone have addresses. */
  readonly ofServices: readonly Cidr[];
  readonly hosts: HostDirectory;
}

/** The address book without pods: this machine and other nodes, pools and blocks, and every block that policies name.
 * Only the longest match counts, so each line repeats the properties of the shorter prefixes that contain it. */
export function* addressBook(
  { nodes, pools, ofServices, hosts }: Whereabouts,
  identities: IdentityTable,
): Steps<PlacedAddress[]> {
  const places = new CidrIndex<PlacedAddress["place"]>();
  const lines = new Map<string, { owner: string; cidr: Cidr }>();
  let ipv4 = false;
  const add = (owner: string, cidr: Cidr, place?: PlacedAddress["place"]) => {
    ipv4 ||= coversMappedIPv4(cidr);
    if (!lines.has(cidr.text)) lines.set(cidr.text, { owner, cidr });
    if (place) places.set(cidr, place);
  };
  for (const [address, node] of nodes.addresses) {
    const here = node === nodes.facts.nodeName;
    add(`Node ${node}`, hostCidr(address), here ? ownAddress(address, nodes) : remoteHost(address, node, nodes, pools));
  }
  for (const subnet of nodes.facts.subnets) {
    const address = broadcastOf(parseCidr(subnet));
    if (address) add("broadcast", hostCidr(address), { flags: LocationFlag.BROADCAST, node: "::" });
  }
  for (const loopback of LOOPBACK) add("loopback", loopback, ownAddress(loopbackAddress(loopback), nodes));
  for (const { owner, cidr } of pools.pools) {
    add(owner, cidr, { flags: poolFlags(pools, cidr, undefined) | LocationFlag.BLACKHOLE, node: "::" });
  }
  for (const { owner, cidr, node } of pools.blocks) {
    const flags = poolFlags(pools, cidr, node) | (node ? 0 : LocationFlag.BLACKHOLE);
    add(owner, cidr, { flags, node: node ?? "::" });
  }
  for (const network of ofServices)
    add("BGPConfiguration default", network, { flags: LocationFlag.BLACKHOLE, node: "::" });
  yield* each(identities.vocabulary.blocks.values(), ({ cidr }) => add(`policy CIDR ${cidr.text}`, cidr));
  for (const address of hosts.labels.keys()) add("HostEndpoint", hostCidr(address));
  if (ipv4) add("all of IPv4", parseCidr("0.0.0.0/0"));

  const placed: PlacedAddress[] = [];
  yield* each(lines.values(), ({ owner, cidr }) => {
    const place = places.covering(cidr)[0] ?? NOWHERE;
    const whose = isAddress(cidr) ? hosts.labels.get(cidr.address) : undefined;
    placed.push({ owner, cidr, key: prefixOf(cidr), place, identity: identities.ofBlock(cidr, whose) });
  });
  return placed;
}

function ownAddress(address: Address, nodes: NodeDirectory) {
  return { flags: LocationFlag.LOCAL_HOST | nodePortFlag(address, nodes), node: "::" };
}

function loopbackAddress({ family }: Cidr): Address {
  return family === "IPv4" ? "127.0.0.1" : "::1";
}

function nodePortFlag(address: Address, nodes: NodeDirectory): number {
  return nodes.servesNodePorts(address) ? 0 : LocationFlag.WITHOUT_NODE_PORTS;
}

/** Its workloads' packets to that node go the way of their packets to its workloads. */
function remoteHost(address: Address, name: string, nodes: NodeDirectory, pools: PoolDirectory) {
  const node = nodes.underlayOf(name) ?? address;
  const wrapped = encapsulationFlags(pools.encapsulationTowards(node, hostCidr(address).family));
  return { flags: LocationFlag.REMOTE_HOST | wrapped | nodePortFlag(address, nodes), node };
}

function isAddress({ prefixLength }: Cidr): boolean {
  return prefixLength === 128;
}

export function prefixOf({ prefixLength, address }: Cidr): Prefix {
  return { prefixLength, address };
}

/** Whether it is an IPv6 block as wide as ::/0. IPv4 is at ::ffff:0:0/96 in the map: without a separate line it would match it. */
export function coversMappedIPv4({ family, prefixLength, value }: Cidr): boolean {
  return (
    family === "IPv6" &&
    prefixLength <= 96 &&
    (0xffff_0000_0000n >> BigInt(128 - prefixLength)) << BigInt(128 - prefixLength) === value
  );
}
