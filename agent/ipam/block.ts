import ipaddr from "ipaddr.js";

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

/** IPv4 addresses as numbers, which is what an allocator counts in. */
export function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((value, byte) => value * 256 + byte, 0);
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** First address and size of an IPv4 CIDR: 10.244.0.64/26 is [its number, 64]. */
export function range(cidr: string): { first: number; size: number } {
  const [address, length] = ipaddr.IPv4.parseCIDR(cidr);
  const size = 2 ** (32 - length);
  const number = toNumber(address.toString());
  return { first: number - (number % size), size };
}
