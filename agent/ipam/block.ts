import type { Address } from "../../model/address/address.ts";
import { addressAt, covers, hostCidr, parseCidr, sizeOf } from "../../model/address/address.ts";
import type { IpamBlock } from "../../model/objects/calico.ts";
import type { Reserved } from "../../model/pool/reserved.ts";

/** A part of an IP pool from which one node allocates addresses. */
export interface Block {
  /** Name of its IPAMBlock object: "10-244-0-64-26" for 10.244.0.64/26, "fd00-10-244--40-122" for fd00:10:244::40/122. */
  readonly name: string;
  readonly cidr: string;
  readonly node: string;
  readonly pool: string;
  /** Of the object; absent before it is known from the list. */
  readonly uid?: string | undefined;
  readonly version?: string | undefined;
  /** Not a block, but the request for an address of another node's block: any address of `cidr`, or the single one that `cidr` is
   * (model/pool/loans.ts). */
  readonly borrows?: "Any" | "This" | undefined;
  /** Addresses of the block that other nodes have. */
  readonly lent?: readonly Lent[] | undefined;
}

export interface Lent {
  readonly address: Address;
  readonly node: string;
  /** uid of the request. */
  readonly request: string;
}

/** Claims of blocks, cluster-wide: only the first node can create the object with a block's name. */
export interface BlockClaims {
  /** All known claimed blocks of any node. */
  list(): readonly Block[];
  create(block: Block): Promise<"created" | "exists">;
  /** Writes which addresses a block lends, if the block is still the version that was seen. After a failure the write may still have
   * happened, or happen later. */
  lend(block: Block): Promise<void>;
  /** Gives a block back, if it is still the version that was seen. Resolves when the block is deleted; after a failure it may be deleted
   * too. */
  free(block: Block): Promise<void>;
}

export function blockName(cidr: string): string {
  return cidr.replace(/[.:/]/g, "-");
}

export function contains({ cidr }: Pick<Block, "cidr">, address: Address): boolean {
  return covers(parseCidr(cidr), hostCidr(address));
}

/** Whether the second network contains all addresses of the first one. */
export function isIn(inner: string, outer: string): boolean {
  return covers(parseCidr(outer), parseCidr(inner));
}

/** @param taken returns the network around an address of which all addresses are taken; that network is skipped in one step */
export function firstFree(block: Block, taken: Reserved): Address | undefined {
  const cidr = parseCidr(block.cidr);
  const size = sizeOf(cidr);
  // The first address of an IPv6 network is that of its routers (RFC 4291, 2.6.1).
  const first = cidr.family === "IPv6" && size > 1n ? 1n : 0n;
  for (let offset = first; offset < size; ) {
    const address = addressAt(cidr, offset);
    if (!taken.has(address)) return address;
    const passed = taken.around(hostCidr(address));
    offset = passed ? passed.value + sizeOf(passed) - cidr.value : offset + 1n;
  }
  return undefined;
}

/** A block as its object says it. */
export function blockOf({ metadata, spec }: IpamBlock): Block {
  const { name, uid, resourceVersion } = metadata;
  const { cidr, node, pool, borrows, lent } = spec;
  return {
    ...{ name, uid: uid ?? undefined, version: resourceVersion ?? undefined },
    ...{ cidr, node, pool, ...(borrows && { borrows }), ...(lent.length > 0 && { lent }) },
  };
}
