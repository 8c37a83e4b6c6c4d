import type { Address } from "../address/address.ts";
import { Claims } from "../claims.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import type { Steps } from "../steps.ts";
import { serviceOf } from "./slice-groups.ts";
import { addressesIn } from "./weights.ts";

/** Which Services have an endpoint at an address: whoever may write a pod changes its weight as often as he likes, and the slices of all Services
 * are not looked through for each time. Made when the first weight changes, since most clusters have none, and kept from then on: a pod whose weight
 * comes and goes would have it made each time. */
export class ServicesByAddress {
  #claims: Claims<EndpointSlice, Address> | undefined;

  /** @param slices all of them. @returns names: "default/web" */
  *withOneOf(addresses: ReadonlySet<Address>, slices: readonly EndpointSlice[]): Steps<ReadonlySet<string>> {
    if (addresses.size > 0) this.#claims ??= new Claims(claimsOf);
    const found = new Set<string>();
    if (!this.#claims) return found;
    yield* this.#claims.updating(slices);
    for (const address of addresses) for (const name of this.#claims.names(address)) found.add(name);
    return found;
  }
}

function claimsOf(slice: EndpointSlice): (readonly [Address, string])[] {
  const name = serviceOf(slice);
  return name === undefined ? [] : addressesIn(slice).map((address) => [address, name] as const);
}
