import { createHash } from "node:crypto";
import type { Address, Family } from "../../model/address/address.ts";
import { addressAt, covers, hostCidr, overlap, parseCidr, sizeOf, writtenLength } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import { type Block, type BlockClaims, blockName } from "./block.ts";
import { HeldBlocks, type LeavingBlocks } from "./held-blocks.ts";

/** An IP pool, for allocation. */
export interface Pool {
  readonly name: string;
  readonly cidr: string;
  readonly blockSize: number;
}

/** An address that a pod had, and when it ended (milliseconds since 1970). */
export interface FreedAddress {
  readonly address: Address;
  readonly at: number;
}

/** The addresses in use on this node, and the freed ones, oldest first. */
export interface AddressUse {
  used(): ReadonlySet<string>;
  freed(): readonly FreedAddress[];
}

/** A freed address is not given again before: services and connections may still lead to it. */
export const COOLING_MS = 30_000;

export interface AllocatorOptions {
  readonly node: string;
  readonly claims: BlockClaims;
  /** Names of blocks that are not in force, because another node has their addresses. */
  readonly refusedBlocks?: () => ReadonlySet<string>;
  readonly use: AddressUse & LeavingBlocks;
  /** Those that this node has an address of. Without one, kubelet could not reach a pod's address of that family. */
  readonly families: () => readonly Family[];
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const EXAMPLE: Record<Family, string> = { IPv4: "10.244.0.0/16", IPv6: "fd00:10:244::/56" };

/** Allocates workload addresses: from the node's blocks, and from a newly claimed one when they are full. */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #held: HeldBlocks;
  readonly #now: () => number;
  readonly #exhausted = new Set<string>();
  readonly #reserved = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: AllocatorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#held = new HeldBlocks(options.node, options.claims, options.use, this.#now);
  }

  /** Returns a free address of each family that this node has and that is one of the pools', which are asked in their order. They stay reserved
   * until they are in use or release() is called. Rejects with an explanation if every pool of a family is used up. */
  allocate(pools: readonly Pool[]): Promise<PodAddresses> {
    return this.#inTurn(() => this.#choose(pools));
  }

  /** Gives back a block of this node, unless an address of it is in use, reserved or cooling. @returns whether it is gone */
  giveBack(block: Block): Promise<boolean> {
    return this.#inTurn(async () => {
      if (!this.isEmpty(block)) return false;
      await this.#held.giveBack(block);
      return true;
    });
  }

  /** Blocks of this node; first those that an earlier attempt did not give back for certain. */
  blocks(): readonly Block[] {
    return [...this.#held.leaving(), ...this.#held.list()];
  }

  isEmpty(block: Block): boolean {
    return ![...this.#taken()].some((address) => contains(block, address));
  }

  /** Names of pools of which this node got no block when it last needed one. */
  exhausted(): ReadonlySet<string> {
    return this.#exhausted;
  }

  // One after the other: concurrent requests would each claim a block, or give one back that another has chosen.
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Ends a reservation, when the addresses are in use or will not be used. */
  release(addresses: PodAddresses): void {
    for (const address of addressesOf(addresses)) this.#reserved.delete(address);
  }

  async #choose(pools: readonly Pool[]): Promise<PodAddresses> {
    const families = this.#options.families();
    const chosen: Address[] = [];
    for (const family of families) {
      const ofFamily = pools.filter(({ cidr }) => parseCidr(cidr).family === family);
      // Nothing is reserved before every family has an address.
      if (ofFamily.length > 0) chosen.push(await this.#chooseFrom(ofFamily));
    }
    const [address, secondAddress] = chosen;
    if (!address)
      throw new Error(
        `No IPPool gives this pod an address of ${families.join(" or ")}. Next: create one, e.g. ${EXAMPLE[families[0] ?? "IPv4"]}, or check disabled, assignmentMode, nodeSelector and namespaceSelector of those that exist.`,
      );
    for (const one of chosen) this.#reserved.add(one);
    return secondAddress ? { address, secondAddress } : { address };
  }

  async #chooseFrom(pools: readonly Pool[]): Promise<Address> {
    const own = this.#fromOwnBlocks(pools);
    if (own) {
      for (const { name } of pools) this.#exhausted.delete(name);
      return own;
    }
    // Of a block that was this node's before, all addresses may be in use or cooling.
    for (;;) {
      const address = firstFree(await this.#claim(pools), this.#taken());
      if (address) return address;
    }
  }

  #fromOwnBlocks(pools: readonly Pool[]): string | undefined {
    const places = new Map(pools.map(({ name }, place) => [name, place]));
    const placeOf = ({ pool }: Block) => places.get(pool) ?? pools.length;
    const refused = this.#options.refusedBlocks?.() ?? new Set<string>();
    const usable = this.#held.list().filter((block) => places.has(block.pool) && !refused.has(block.name));
    return this.#leastRecentlyUsed(usable.toSorted((a, b) => placeOf(a) - placeOf(b)));
  }

  // A freed address may still be in connection tables or caches: it is used last, the longest free first.
  #leastRecentlyUsed(blocks: readonly Block[]): string | undefined {
    const freed = this.#options.use.freed().map(({ address }) => address);
    const avoid = new Set([...this.#taken(), ...freed]);
    for (const block of blocks) {
      const never = firstFree(block, avoid);
      if (never) return never;
    }
    const taken = this.#taken();
    return freed.find((address) => !taken.has(address) && blocks.some((block) => contains(block, address)));
  }

  /** Used, reserved and cooling. */
  #taken(): Set<string> {
    const [now, used] = [this.#now(), this.#options.use];
    // Of a clock that was set back nothing is known.
    const cooling = used.freed().filter(({ at }) => at <= now && now - at < COOLING_MS);
    return new Set([...used.used(), ...this.#reserved, ...cooling.map(({ address }) => address)]);
  }

  async #claim(pools: readonly Pool[]): Promise<Block> {
    const known = [...this.#options.claims.list(), ...this.#held.list()].map(({ cidr }) => parseCidr(cidr));
    for (const pool of pools) {
      for (const block of candidates(pool, this.#options.node)) {
        const cidr = parseCidr(block.cidr);
        if (known.some((other) => overlap(other, cidr))) continue;
        if ((await this.#held.claim(block)) === "exists") continue;
        this.#exhausted.delete(pool.name);
        return block;
      }
    }
    for (const { name } of pools) this.#exhausted.add(name);
    const names = pools.map((pool) => `${pool.name} (${pool.cidr})`).join(", ");
    const cooling = `a freed address is given again after ${COOLING_MS / 1000} s, a block of a removed node after some minutes`;
    throw new Error(`Every block of the IP pools ${names} is claimed (${cooling}). Next: add an IPPool.`);
  }
}

function firstFree(block: Block, taken: ReadonlySet<string>): Address | undefined {
  const cidr = parseCidr(block.cidr);
  const size = sizeOf(cidr);
  // The first address of an IPv6 network is that of its routers (RFC 4291, 2.6.1).
  const first = cidr.family === "IPv6" && size > 1n ? 1n : 0n;
  for (let offset = first; offset < size; offset++) {
    const address = addressAt(cidr, offset);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

// Nodes start at different positions in the pool, so that they rarely try the same block.
function* candidates(pool: Pool, node: string): Generator<Block> {
  const whole = parseCidr(pool.cidr);
  const widest = whole.family === "IPv4" ? 32 : 128;
  const length = Math.min(widest, Math.max(pool.blockSize, writtenLength(whole))); // a block is part of its pool
  const blockSize = 1n << BigInt(widest - length);
  const count = sizeOf(whole) / blockSize;
  const start = BigInt(createHash("sha256").update(node).digest().readUInt32BE()) % count;
  for (let step = 0n; step < count; step++) {
    const cidr = `${addressAt(whole, ((start + step) % count) * blockSize)}/${length}`;
    yield { name: blockName(cidr), cidr, node, pool: pool.name };
  }
}

function contains(block: Block, address: string): boolean {
  return covers(parseCidr(block.cidr), hostCidr(address));
}
