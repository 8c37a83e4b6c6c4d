/** A piece of an IP pool that one node hands out addresses from. */
export interface Block {
  /** Name of its IPAMBlock object: "10-244-0-64-26" for 10.244.0.64/26. */
  readonly name: string;
  readonly cidr: string;
  readonly node: string;
  readonly pool: string;
}

/** Where blocks are claimed: cluster-wide, by creating an object whose name only one node can be first to create. */
export interface BlockClaims {
  /** Every block that is known to be claimed, by any node. */
  list(): readonly Block[];
  create(block: Block): Promise<"created" | "exists">;
}

export function blockName(cidr: string): string {
  return cidr.replace(/[./]/g, "-");
}
