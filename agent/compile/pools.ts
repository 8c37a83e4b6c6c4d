import type { Address, Cidr } from "../../model/address/address.ts";
import type { Encapsulation } from "../../model/pool/encapsulation.ts";
import type { PoolDirectory } from "../../model/pool/pools.ts";
import { LocationFlag } from "../kernel/layout.gen.ts";
import type { Route } from "./desired.ts";

/** enum location_flag of a workload address that lives on the node (undefined: on this one, or on none). */
export function poolFlags({ traitsOf }: PoolDirectory, address: Cidr, node: Address | undefined): number {
  const { natOutgoing, encapsulation } = traitsOf(address, node);
  return LocationFlag.POOL | (natOutgoing ? LocationFlag.NAT_OUTGOING : 0) | encapsulationFlags(encapsulation);
}

export function encapsulationFlags(encapsulation: Encapsulation | undefined): number {
  if (!encapsulation) return 0;
  return LocationFlag.ENCAPSULATED | (encapsulation === "IPIP" ? LocationFlag.IPIP : 0);
}

/** Routes to blocks: another node's block through that node; unused addresses of this node's blocks go nowhere instead of
 * to the default route, and so does an IPv6 block of a node that has no IPv6 address. What goes unencapsulated to another subnet
 * follows the routes that the node has of its network: learned by BGP, or the default route. */
export function blockRoutes({ blocks, traitsOf }: PoolDirectory): Route[] {
  return blocks.flatMap(({ cidr, node, router, onLink }): Route[] => {
    const destination = cidr.text;
    if (!node) return [{ to: "nowhere", destination }];
    if (traitsOf(cidr, node).encapsulation) return [{ to: "node", destination, node, encapsulated: true }];
    if (!router) return [{ to: "nowhere", destination }];
    if (!onLink) return [];
    return [{ to: "node", destination, node, encapsulated: false, ...(router !== node && { via: router }) }];
  });
}
