import type { Family } from "../address/address.ts";
import type { IpPool } from "../objects/calico.ts";
import { isForLoadBalancers } from "./uses.ts";

/** Bytes of the outer headers that VXLAN adds (RFC 7348): Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8.
 * @param outer the family of the nodes' addresses */
export function vxlanOverhead(outer: Family): number {
  return outer === "IPv4" ? 50 : 70;
}

/** What is asked of a pool here. */
export interface Encapsulating {
  readonly spec: Pick<IpPool["spec"], "vxlanMode" | "allowedUses">;
}

/** Whether packets to pods of the pool are wrapped, or would be if a node in another subnet joined. */
export function canBeWrapped(pool: Encapsulating): boolean {
  return !isForLoadBalancers(pool) && (pool.spec.vxlanMode ?? "Never") !== "Never";
}

/** Bytes that a pod's interface leaves for the headers of an encapsulation: pods of any pool send to those of each.
 * @param outer the family of the nodes' addresses */
export function encapsulationOverhead(pools: readonly Encapsulating[], outer: Family): number {
  return pools.some(canBeWrapped) ? vxlanOverhead(outer) : 0;
}
