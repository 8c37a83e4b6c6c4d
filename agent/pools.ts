import type { IpPool } from "../model/objects/calico.ts";
import type { Pool } from "./ipam/allocator.ts";

/** A block of 64 addresses, as Calico's default is. */
const BLOCK_SIZE = 26;

/** What the address allocator needs of an IPPool. */
export function allocatorPool({ metadata, spec }: IpPool): Pool {
  return {
    name: metadata.name,
    cidr: spec.cidr,
    blockSize: spec.blockSize ?? BLOCK_SIZE,
    disabled: spec.disabled ?? false,
  };
}
