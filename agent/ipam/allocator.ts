import type { Address, Family } from "../../model/address/address.ts";
import { overlap, parseCidr } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import { type Block, type BlockClaims, contains, firstFree } from "./block.ts";
import { candidates, type Pool } from "./blocks-of-pool.ts";
import { HeldBlocks, type LeavingBlocks } from "./held-blocks.ts";

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
      const [first] = ofFamily;
      if (first?.only !== undefined) chosen.push(await this.#take(first.only, first));
      else if (ofFamily.length > 0) chosen.push(await this.#chooseFrom(ofFamily));
    }
    const [address, secondAddress] = chosen;
    if (!address)
      throw new Error(
        `No IPPool gives this pod an address of ${families.join(" or ")}. Next: create one, e.g. ${EXAMPLE[families[0] ?? "IPv4"]}, or check disabled, assignmentMode, nodeSelector and namespaceSelector of those that exist.`,
      );
    for (const one of chosen) this.#reserved.add(one);
    return secondAddress ? { address, secondAddress } : { address };
  }

  // It does not cool down: whoever asks for this very address means that others go on with it.
  async #take(address: Address, pool: Pool): Promise<Address> {
    if (this.#options.use.used().has(address) || this.#reserved.has(address))
      throw new Error(`${address} is another pod's on this node.`);
    if (this.#usable([pool]).some((block) => contains(block, address))) return address;
    const known = [...this.#options.claims.list(), ...this.#held.list()];
    for (const block of candidates(pool, this.#options.node)) {
      const other = known.find(({ cidr }) => overlap(parseCidr(cidr), parseCidr(block.cidr)));
      if (other) throw new Error(`${address} is in the block ${other.cidr}, which node ${other.node} has.`);
      if ((await this.#held.claim(block)) === "created") return address;
    }
    throw new Error(`Another node has just claimed the block of ${address}.`);
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
    return this.#leastRecentlyUsed(this.#usable(pools).toSorted((a, b) => placeOf(a) - placeOf(b)));
  }

  #usable(pools: readonly Pool[]): Block[] {
    const refused = this.#options.refusedBlocks?.() ?? new Set<string>();
    const names = new Set(pools.map(({ name }) => name));
    return this.#held.list().filter(({ pool, name }) => names.has(pool) && !refused.has(name));
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
