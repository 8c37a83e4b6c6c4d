import { at, checked, type InputPlace, refuse } from "../refusal/refusal.ts";
import { prefixLength } from "../rules/addresses.ts";
import { requireUnicastCidr } from "../values/addresses.ts";
import { requireWhole } from "../values/choices.ts";
import { requireObjectName } from "../values/names.ts";
import type { IpPoolSpec } from "./args.ts";

/** Name of the pool that an `IpPool` without a name describes. */
export const DEFAULT_POOL_NAME = "default-ipv4-ippool";

/** Refuses a pool that could not give addresses. */
export function requirePool(place: InputPlace, pool: IpPoolSpec): IpPoolSpec {
  requireObjectName(at(place, "name"), pool.name ?? DEFAULT_POOL_NAME);
  const blockSize = requireWhole(at(place, "blockSize"), pool.blockSize ?? 26, 20, 32);
  const cidr = checked(pool.cidr, (known) => {
    requireUnicastCidr(at(place, "cidr"), known);
    if (blockSize >= prefixLength(known)) return known;
    return refuse(at(place, "blockSize"), blockSize, `at least ${prefixLength(known)}, the prefix length of ${known}`);
  });
  return { ...pool, cidr };
}
