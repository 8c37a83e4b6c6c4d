import type { Address, Cidr } from "../../model/address/address.ts";
import type { PoolDirectory } from "../../model/pool/pools.ts";
import { LocationFlag } from "../kernel/layout.gen.ts";
import type { Route } from "./desired.ts";

/** enum location_flag of a workload address that lives on the node (undefined: on this one, or on none). */
export function poolFlags({ traitsOf }: PoolDirectory, address: Cidr, node: Address | undefined): number {
  const { natOutgoing, encapsulated } = traitsOf(address, node);
  return (
    LocationFlag.POOL | (natOutgoing ? LocationFlag.NAT_OUTGOING : 0) | (encapsulated ? LocationFlag.ENCAPSULATED : 0)
  );
}

/** Routes to blocks: another node's block through that node; unused addresses of this node's blocks go nowhere instead of
 * to the default route. */
export function blockRoutes({ blocks, traitsOf }: PoolDirectory): Route[] {
  return blocks.map(({ cidr, node }) =>
    node
      ? {
          to: "node",
          destination: cidr.text,
          node,
          encapsulated: traitsOf(cidr, node).encapsulated,
        }
      : { to: "nowhere", destination: cidr.text },
  );
}
