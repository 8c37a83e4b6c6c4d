import type { Address, Family } from "../../model/address/address.ts";
import { overlap, parseCidr } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import { type Reserved, reservedAddresses } from "../../model/pool/reserved.ts";
import { Turns } from "../process/turns.ts";
import { type Block, type BlockClaims, contains, isIn } from "./block.ts";
import { candidates, type Pool } from "./blocks-of-pool.ts";
import { type AddressUse, COOLING_MS, FreeAddresses } from "./free-addresses.ts";
import { HeldBlocks, type Intentions, type Listed } from "./held-blocks.ts";
import { type Answers, answers, lentOut, requestFor, Wanted } from "./lending.ts";

export interface AllocatorOptions {
  readonly node: string;
  readonly claims: BlockClaims;
  /** Names of blocks that are not in force, because another node has their addresses. */
  readonly refusedBlocks?: () => ReadonlySet<string>;
  readonly use: AddressUse & Intentions;
  /** The families of which this node has an address. Without an address, kubelet could not reach a pod's address of that family. */
  readonly families: () => readonly Family[];
  /** Absent: no addresses of other nodes' blocks are borrowed. */
  readonly loans?: Loans | undefined;
  /** The next step for the user if no address is left. Absent: add an IPPool. */
  readonly whenFull?: string | undefined;
  /** Addresses that are given only to pods that ask for them. */
  readonly reserved?: () => Reserved;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Loans {
  /** Blocks of other nodes in a pool that may have addresses left, the best first. */
  readonly lenders: (pool: string) => readonly Pick<Block, "name" | "cidr">[];
  /** Waits some seconds until the condition holds. @returns whether it does */
  readonly soon: (condition: () => boolean) => Promise<boolean>;
}

/** Other nodes that a pod's start asks for an address before it fails. */
const ASKED_LENDERS = 3;
const NOTHING = reservedAddresses([]);
const EXAMPLE: Record<Family, string> = { IPv4: "10.244.0.0/16", IPv6: "fd00:10:244::/56" };

/** Allocates workload addresses: from the node's blocks, and from a newly claimed one when they are full. */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #held: HeldBlocks;
  readonly #free: FreeAddresses;
  readonly #refused: () => ReadonlySet<string>;
  readonly #exhausted = new Set<string>();
  // Concurrent requests would each claim a block, or give one back that another has chosen.
  readonly #turns = new Turns();

  constructor(options: AllocatorOptions) {
    this.#options = options;
    const now = options.now ?? Date.now;
    this.#refused = options.refusedBlocks ?? (() => new Set());
    this.#held = new HeldBlocks(options.node, options.claims, options.use, now, this.#refused);
    const lent = () => lentOut(this.#own(), options.claims.list(), options.use);
    this.#free = new FreeAddresses(options.use, lent, options.reserved ?? (() => NOTHING), now);
  }

  /** Returns a free address of each family that both this node and one of the pools have, and reserves it until it is in use or release()
   * is called. Tries the pools in their order. Rejects with an explanation if every pool of a family is used up. */
  async allocate(pools: readonly Pool[]): Promise<PodAddresses> {
    const asked = new Set<string>();
    for (;;) {
      const answer = await this.#turns.take(() => this.#choose(pools, asked));
      if (!(answer instanceof Wanted)) return answer;
      const { request, lender } = answer;
      // Not in this node's queue: two nodes that wait for each other would then lend nothing.
      const isGiven = () => this.#held.list().some(({ name }) => name === request.name);
      if (await this.#options.loans?.soon(isGiven)) continue;
      asked.add(lender);
      // A pod that asks for this very address will ask again: the request stays until the upkeep finds it unused.
      if (request.borrows === "This")
        throw new Error(
          `${parseCidr(request.cidr).address} is in the block ${lender} of another node, which has not lent it: a pod there has it, or its agent does not answer.`,
        );
      await this.#turns.take(() => this.#abandon(request));
    }
  }

  /** Whether other nodes wait for an answer that this one can give. */
  isAsked(): boolean {
    return this.#answers().blocks.length > 0;
  }

  /** Answers requests of other nodes for addresses of this node's blocks, and takes back addresses that they have returned. */
  lend(): Promise<void> {
    return this.#turns.take(async () => {
      const { blocks, lending } = this.#answers();
      if (blocks.length > 0) this.#options.use.setLending(lending);
      for (const block of blocks) await this.#options.claims.lend(block);
    });
  }

  /** Gives back a block of this node, unless an address of it is in use, reserved or cooling. @returns whether it is gone */
  giveBack(block: Block): Promise<boolean> {
    return this.#turns.take(async () => {
      if (!this.isEmpty(block)) return false;
      await this.#held.giveBack(block);
      return true;
    });
  }

  /** Blocks of this node; first those for which an earlier attempt to give them back had no certain result. */
  blocks(): readonly Block[] {
    return [...this.#held.leaving(), ...this.#held.list(), ...this.#held.pending()];
  }

  isEmpty(block: Listed): boolean {
    return block.isPending === true || ![...this.#free.taken()].some((address) => contains(block, address));
  }

  /** Names of pools of which this node got no block when it last needed one. */
  exhausted(): ReadonlySet<string> {
    return this.#exhausted;
  }

  /** Ends a reservation, when the addresses are in use or will not be used. */
  release(addresses: PodAddresses): void {
    this.#free.release(addressesOf(addresses));
  }

  async #choose(pools: readonly Pool[], asked: ReadonlySet<string>): Promise<PodAddresses | Wanted> {
    const families = this.#options.families();
    const chosen: Address[] = [];
    for (const family of families) {
      const ofFamily = pools.filter(({ cidr }) => parseCidr(cidr).family === family);
      // Nothing is reserved before every family has an address.
      const [first] = ofFamily;
      if (!first) continue;
      const one = await (first.only === undefined ? this.#chooseFrom(ofFamily, asked) : this.#take(first.only, first));
      if (one instanceof Wanted) return one;
      chosen.push(one);
    }
    const [address, secondAddress] = chosen;
    if (!address)
      throw new Error(
        `No IPPool gives this pod an address of ${families.join(" or ")}. Next: create one, e.g. ${EXAMPLE[families[0] ?? "IPv4"]}, or check disabled, assignmentMode, nodeSelector and namespaceSelector of those that exist.`,
      );
    this.#free.reserve(chosen);
    return secondAddress ? { address, secondAddress } : { address };
  }

  // The address does not cool down: a pod that asks for this very address means that clients continue with it.
  async #take(address: Address, pool: Pool): Promise<Address | Wanted> {
    if (this.#free.has(address))
      throw new Error(`${address} is another pod's, on this node or on one that borrows it.`);
    if (this.#usable([pool]).some((block) => contains(block, address))) return address;
    for (const block of candidates(pool, this.#options.node)) {
      const other = this.#known().find(({ cidr }) => overlap(parseCidr(cidr), parseCidr(block.cidr)));
      if (other && (other.node === this.#options.node || !contains(other, address) || !this.#options.loans))
        throw new Error(`${address} is in the block ${other.cidr}, which node ${other.node} has.`);
      if (other) return this.#request(requestFor(this.#options.node, other, address), other);
      if ((await this.#held.claim(block)) === "created") return address;
    }
    throw new Error(`Another node has just claimed the block of ${address}.`);
  }

  async #chooseFrom(pools: readonly Pool[], asked: ReadonlySet<string>): Promise<Address | Wanted> {
    const own = this.#fromOwnBlocks(pools);
    if (own) {
      for (const { name } of pools) this.#exhausted.delete(name);
      return own;
    }
    // If the block belonged to this node before, all its addresses may be in use or cooling.
    for (;;) {
      const block = await this.#claim(pools);
      if (!block) return this.#borrow(pools, asked);
      const address = this.#free.in([block]);
      if (address) return address;
    }
  }

  #fromOwnBlocks(pools: readonly Pool[]): string | undefined {
    const places = new Map(pools.map(({ name }, place) => [name, place]));
    // Borrowed addresses come last, and an address for which a pod has asked is for that pod.
    const placeOf = ({ pool, borrows }: Block) => (borrows ? pools.length : (places.get(pool) ?? 0));
    const usable = this.#usable(pools).filter(({ borrows }) => borrows !== "This");
    return this.#free.in(usable.toSorted((a, b) => placeOf(a) - placeOf(b)));
  }

  #usable(pools: readonly Pool[]): Block[] {
    // If this node has a part of the pool, it may have had other blocks before.
    const isOpen = ({ pool, cidr }: Block) => pools.some((one) => one.name === pool && isIn(cidr, one.cidr));
    return this.#held.list().filter((block) => isOpen(block) && !this.#refused().has(block.name));
  }

  #answers(): Answers {
    const { claims, use } = this.#options;
    return answers(this.#own(), claims.list(), use.lending(), (request, block, given) => {
      if (request.borrows === "Any") return this.#free.in([block], given);
      const { address } = parseCidr(request.cidr);
      return this.#free.has(address) || given.has(address) ? undefined : address;
    });
  }

  /** Blocks in force that belong to this node itself, and that other nodes see. */
  #own(): Block[] {
    return this.#held.list().filter(({ borrows, uid, name }) => !borrows && uid && !this.#refused().has(name));
  }

  #known(): Block[] {
    return [...this.#options.claims.list().filter(({ borrows }) => !borrows), ...this.#held.list()];
  }

  async #borrow(pools: readonly Pool[], asked: ReadonlySet<string>): Promise<Wanted> {
    const { loans, node } = this.#options;
    for (const pool of asked.size < ASKED_LENDERS ? pools : []) {
      const lender = loans?.lenders(pool.name).find(({ name }) => !asked.has(name) && !this.#refused().has(name));
      if (lender) return this.#request(requestFor(node, { ...lender, pool: pool.name }), lender);
    }
    for (const { name } of pools) this.#exhausted.add(name);
    const names = pools.map((pool) => `${pool.name} (${pool.cidr})`).join(", ");
    const cooling = `a freed address is given again after ${COOLING_MS / 1000} s, a block of a removed node after some minutes`;
    throw new Error(
      `Every block of the IP pools ${names} is claimed, and no other node lends an address of one (${cooling}). Next: ${this.#options.whenFull ?? "add an IPPool"}.`,
    );
  }

  async #request(request: Block, { name }: Pick<Block, "name">): Promise<Wanted> {
    await this.#held.claim(request); // One that exists is this node's, of an earlier attempt.
    return new Wanted(request, name);
  }

  // An address that another node has lent meanwhile is used by the next pod, or given back by the upkeep.
  async #abandon({ name }: Block): Promise<void> {
    const pending = this.#held.pending().find((one) => one.name === name);
    if (pending) await this.#held.giveBack(pending);
  }

  async #claim(pools: readonly Pool[]): Promise<Block | undefined> {
    const known = this.#known().map(({ cidr }) => parseCidr(cidr));
    for (const pool of pools) {
      for (const block of candidates(pool, this.#options.node, (cidr) => this.#free.keptAround(cidr))) {
        const cidr = parseCidr(block.cidr);
        if (known.some((other) => overlap(other, cidr)) || !this.#free.gives(block)) continue;
        if ((await this.#held.claim(block)) === "exists") continue;
        this.#exhausted.delete(pool.name);
        return block;
      }
    }
    return undefined;
  }
}
