import { parseCidr } from "../model/address/address.ts";
import type { IpPool } from "../model/objects/calico.ts";
import type { Pool } from "./ipam/allocator.ts";

/** Blocks of 64 addresses, as in Calico. */
const BLOCK_SIZE = { IPv4: 26, IPv6: 122 };

/** The fields of an IPPool that the address allocator needs. */
export function allocatorPool({ metadata, spec }: IpPool): Pool {
  const { family } = parseCidr(spec.cidr);
  return {
    name: metadata.name,
    cidr: spec.cidr,
    blockSize: spec.blockSize ?? BLOCK_SIZE[family],
    disabled: spec.disabled ?? false,
  };
}
