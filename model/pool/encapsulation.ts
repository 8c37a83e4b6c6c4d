import type { Family } from "../address/address.ts";

/** Bytes of the outer headers that VXLAN adds (RFC 7348): Ethernet 14, IP 20 or 40, UDP 8, VXLAN 8.
 * @param outer the family of the nodes' addresses */
export function vxlanOverhead(outer: Family): number {
  return outer === "IPv4" ? 50 : 70;
}
