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
  /** The one address of it that will do. */
  readonly only?: Address;
}

/** All blocks that a pool can have, as the node would claim them: those that have the address, where there is only one that will do.
 * Nodes start at different positions in the pool, so that they rarely try the same block.
 * @param without a network that no block is wanted of, around a block. It is passed in one step: an IPv6 network has more blocks than can be tried */
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
