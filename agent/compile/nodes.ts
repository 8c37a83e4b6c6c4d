import type { Node } from "../api/core.ts";
import type { Address } from "../kernel/address.ts";
import { canonicalAddress, type Family, familyOf } from "./cidr.ts";
import type { NodeFacts } from "./snapshot.ts";

/** Who is which node, by name and by address. */
export interface NodeDirectory {
  readonly facts: NodeFacts;
  /** The node's InternalIP of the family, undefined for an unknown node. */
  addressOf(node: string, family: Family): Address | undefined;
  /** The node that owns the address, undefined when none does. */
  nodeOf(address: Address): string | undefined;
  /** Every node address that is known, with its node's name. */
  readonly addresses: ReadonlyMap<Address, string>;
}

/** What this machine says of itself goes before what the API says of it: a Node object may be late or missing. */
export function nodeDirectory(nodes: readonly Node[], facts: NodeFacts): NodeDirectory {
  const addresses = new Map<Address, string>();
  const byName = new Map<string, Address[]>();
  const add = (node: string, text: string) => {
    const address = canonicalAddress(text);
    if (!address || addresses.has(address)) return;
    addresses.set(address, node);
    byName.set(node, [...(byName.get(node) ?? []), address]);
  };
  add(facts.nodeName, facts.address);
  for (const node of [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    for (const { type, address } of node.status.addresses) {
      if (type === "InternalIP") add(node.metadata.name, address);
    }
  }
  for (const address of facts.localAddresses) add(facts.nodeName, address);
  return {
    facts,
    addresses,
    addressOf: (node, family) => byName.get(node)?.find((address) => familyOf(address) === family),
    nodeOf: (address) => addresses.get(address),
  };
}
