import type { IpPool } from "../model/objects/calico.ts";
import type { Pool } from "./ipam/allocator.ts";

/** A block of 64 addresses, as in Calico. */
const BLOCK_SIZE = 26;

/** The fields of an IPPool that the address allocator needs. */
export function allocatorPool({ metadata, spec }: IpPool): Pool {
  return {
    name: metadata.name,
    cidr: spec.cidr,
    blockSize: spec.blockSize ?? BLOCK_SIZE,
    disabled: spec.disabled ?? false,
  };
}
