import { hostCidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import type { IpReservation } from "../objects/calico.ts";

/** Addresses that no pod gets unless it asks for that very one. */
export interface Reserved {
  has(address: string): boolean;
}

export function reservedAddresses(reservations: readonly IpReservation[]): Reserved {
  const index = new CidrIndex<true>();
  for (const { spec } of reservations) for (const text of spec.reservedCIDRs) index.set(parseCidr(text), true);
  return { has: (address) => index.covering(hostCidr(address)).length > 0 };
}
