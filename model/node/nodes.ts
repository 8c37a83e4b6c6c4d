import type { Address } from "../address/address.ts";
import { canonicalAddress, type Family, familyOf, useOf } from "../address/address.ts";
import { byAge } from "../objects/age.ts";
import type { Node } from "../objects/core.ts";
import type { Problem } from "../problem.ts";
import type { NodeFacts } from "./facts.ts";
import { EVERYWHERE, type NodePortAddresses } from "./node-port-addresses.ts";

/** The nodes, by name and by address. */
export interface NodeDirectory {
  readonly facts: NodeFacts;
  /** The node's InternalIP of the family, undefined for an unknown node. */
  addressOf(node: string, family: Family): Address | undefined;
  /** The node's tunnel address: its address of the family of this node's own. Workloads of both families are located by it. */
  underlayOf(node: string): Address | undefined;
  /** The node that owns the address, undefined when none does. */
  nodeOf(address: Address): string | undefined;
  /** Every node address that is known, with its node's name. */
  readonly addresses: ReadonlyMap<Address, string>;
  /** Of this node; undefined without its label. */
  readonly zone: string | undefined;
  /** Whether node ports answer at this address of a node, or of a node's loopback. */
  servesNodePorts(address: Address): boolean;
  readonly problems: readonly Problem[];
}

const ZONE_LABEL = "topology.kubernetes.io/zone";

/** What this machine knows about itself takes precedence over the API: a Node object may be late or missing. A kubelet writes its own
 * Node's addresses, so an address is accepted only if it belongs to no one else: neither to an older node nor to one of the networks
 * that `takenBy` names ("IPPool default"). */
export function nodeDirectory(
  nodes: readonly Node[],
  facts: NodeFacts,
  takenBy: (address: Address) => string | undefined = () => undefined,
  nodePorts: NodePortAddresses = EVERYWHERE,
): NodeDirectory {
  const addresses = new Map<Address, string>();
  const byName = new Map<string, Address[]>();
  const problems: Problem[] = [];
  const add = (node: string, address: Address) => {
    if (addresses.has(address)) return;
    addresses.set(address, node);
    byName.set(node, [...(byName.get(node) ?? []), address]);
  };
  const own = new Set([facts.address, ...facts.localAddresses].map((address) => canonicalAddress(address)));
  add(facts.nodeName, facts.address);
  if (facts.addressIpv6) add(facts.nodeName, facts.addressIpv6);
  for (const { metadata, status } of [...nodes].sort(byAge)) {
    for (const { type, address: text } of status.addresses) {
      const address = type === "InternalIP" ? canonicalAddress(text) : undefined;
      if (!address) continue;
      const holder = own.has(address) ? facts.nodeName : addresses.get(address);
      if (holder === metadata.name) continue;
      const other = holder ? `Node ${holder}` : takenBy(address);
      if (other) problems.push(notBelieved(metadata.name, address, `belongs to ${other}`));
      else if (isHostAddress(address)) add(metadata.name, address);
      else problems.push(notBelieved(metadata.name, address, "is no address of a machine"));
    }
  }
  for (const address of facts.localAddresses) add(facts.nodeName, address);
  const addressOf = (node: string, family: Family) => byName.get(node)?.find((address) => familyOf(address) === family);
  return {
    facts,
    zone: nodes.find(({ metadata }) => metadata.name === facts.nodeName)?.metadata.labels?.[ZONE_LABEL],
    problems: [...problems, ...nodePorts.problems],
    addresses,
    servesNodePorts: (address) => {
      const node = addresses.get(address);
      const primary = node !== undefined && addressOf(node, familyOf(address) ?? "IPv4") === address;
      return nodePorts.serves(address, primary);
    },
    addressOf,
    underlayOf: (node) => addressOf(node, familyOf(facts.address) ?? "IPv4"),
    nodeOf: (address) => addresses.get(address),
  };
}

/** Whether it can be a machine's own address in a network. */
export function isHostAddress(address: Address): boolean {
  return !["unspecified", "loopback", "multicast", "broadcast", "ipv4Compatible"].includes(useOf(address));
}

function notBelieved(name: string, address: Address, reason: string): Problem {
  const message = `${address} ${reason}; it is not taken for this node's. Next: give the node an address of its own.`;
  return { kind: "Node", name, path: "status.addresses", message };
}
