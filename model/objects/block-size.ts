import type { Family } from "../address/address.ts";

/** Prefix lengths that blocks of a pool can have, and the one without `blockSize`: 64 addresses, as in Calico. */
export const BLOCK_SIZES: Readonly<
  Record<Family, { readonly least: number; readonly most: number; readonly usual: number }>
> = {
  IPv4: { least: 20, most: 32, usual: 26 },
  IPv6: { least: 116, most: 128, usual: 122 },
};
