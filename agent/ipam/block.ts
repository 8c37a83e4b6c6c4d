/** A part of an IP pool from which one node allocates addresses. */
export interface Block {
  /** Name of its IPAMBlock object: "10-244-0-64-26" for 10.244.0.64/26, "fd00-10-244--40-122" for fd00:10:244::40/122. */
  readonly name: string;
  readonly cidr: string;
  readonly node: string;
  readonly pool: string;
  /** Of the object; absent before it is known from the list. */
  readonly uid?: string | undefined;
}

/** Claims of blocks, cluster-wide: only the first node can create the object with a block's name. */
export interface BlockClaims {
  /** All known claimed blocks of any node. */
  list(): readonly Block[];
  create(block: Block): Promise<"created" | "exists">;
  /** Gives a block back, if it is still the object that was seen. Resolves when it is gone; after a failure it may be. */
  free(block: Block): Promise<void>;
}

export function blockName(cidr: string): string {
  return cidr.replace(/[.:/]/g, "-");
}
