import { at, checkedBeside, checkedField, type InputPlace, refuse } from "../refusal/refusal.ts";
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
  const whole = checkedField(place, "blockSize", pool.blockSize, (field, size) => requireWhole(field, size, 20, 32));
  const cidr = checkedBeside(pool.cidr, [whole.blockSize ?? 26], (known, [blockSize = 26]) => {
    requireUnicastCidr(at(place, "cidr"), known);
    if (blockSize >= prefixLength(known)) return known;
    return refuse(at(place, "blockSize"), blockSize, `at least ${prefixLength(known)}, the prefix length of ${known}`);
  });
  return { ...pool, ...whole, cidr };
}
