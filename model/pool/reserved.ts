import { type Cidr, hostCidr, parseCidr } from "../address/address.ts";
import { CidrIndex } from "../address/cidr-index.ts";
import type { IpReservation } from "../objects/calico.ts";

/** Addresses that no pod gets unless it asks for that very one. */
export interface Reserved {
  has(address: string): boolean;
  /** The largest network of them that the block is part of. */
  around(block: Cidr): Cidr | undefined;
}

export function reservedAddresses(reservations: readonly IpReservation[]): Reserved {
  const index = new CidrIndex<Cidr>();
  for (const cidr of reservations.flatMap(({ spec }) => spec.reservedCIDRs.map(parseCidr))) index.set(cidr, cidr);
  const around = (block: Cidr) => index.covering(block).at(-1);
  return { has: (address) => around(hostCidr(address)) !== undefined, around };
}
