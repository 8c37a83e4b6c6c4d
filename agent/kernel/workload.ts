import type { Address } from "../../model/address/address.ts";
import type { Workload } from "./layout.gen.ts";

/** In place of an address: there is none of that family. */
export const NO_ADDRESS = "::";

/** The addresses that a workload may use, IPv4 first. */
export function addressesOfWorkload({ ipv4, ipv6 }: Workload): Address[] {
  return [ipv4, ipv6].filter((address) => address !== NO_ADDRESS);
}

export function mayUse(workload: Workload | undefined, address: Address): boolean {
  return workload !== undefined && addressesOfWorkload(workload).includes(address);
}
