import { createHash } from "node:crypto";
import {
  type Address,
  addressAt,
  addressValue,
  type Cidr,
  parseCidr,
  sizeOf,
  writtenLength,
} from "../../model/address/address.ts";
import { type Block, blockName } from "./block.ts";

/** An IP pool, for allocation. */
export interface Pool {
  readonly name: string;
  readonly cidr: string;
  readonly blockSize: number;
  /** The only address of the pool that is acceptable. */
  readonly only?: Address;
}

/** All blocks that a pool can have, in the order in which this node claims them. If only one address is acceptable: the block that
 * contains it. Nodes start at different positions in the pool, so that they rarely try the same block. @param without returns a
 * network, around a block, from which no block is wanted. It is skipped in one step, because an IPv6 network has more blocks than can
 * be tried */
export function* candidates(
  pool: Pool,
  node: string,
  without: (block: Cidr) => Cidr | undefined = () => undefined,
): Generator<Block> {
  const whole = parseCidr(pool.cidr);
  const widest = whole.family === "IPv4" ? 32 : 128;
  const length = Math.min(widest, Math.max(pool.blockSize, writtenLength(whole))); // a block is part of its pool
  const blockSize = 1n << BigInt(widest - length);
  const count = sizeOf(whole) / blockSize;
  const at = (place: bigint): Block => {
    const cidr = `${addressAt(whole, place * blockSize)}/${length}`;
    return { name: blockName(cidr), cidr, node, pool: pool.name };
  };
  if (pool.only !== undefined) return yield at((addressValue(pool.only) - whole.value) / blockSize);
  const start = BigInt(createHash("sha256").update(node).digest().readUInt32BE()) % count;
  for (let step = 0n; step < count; ) {
    const block = at((start + step) % count);
    const cidr = parseCidr(block.cidr);
    const passed = without(cidr);
    if (!passed) yield block;
    step += passed ? (passed.value + sizeOf(passed) - cidr.value) / blockSize : 1n;
  }
}
