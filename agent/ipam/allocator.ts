import { createHash } from "node:crypto";
import type { Address, Family } from "../../model/address/address.ts";
import { addressAt, covers, hostCidr, overlap, parseCidr, sizeOf, writtenLength } from "../../model/address/address.ts";
import { addressesOf, type PodAddresses } from "../../model/objects/pod-of.ts";
import { type Block, type BlockClaims, blockName } from "./block.ts";

/** An IP pool, for allocation. */
export interface Pool {
  readonly name: string;
  readonly cidr: string;
  readonly blockSize: number;
}

/** The addresses in use on this node, and the freed ones, oldest first. */
export interface AddressUse {
  used(): ReadonlySet<string>;
  freed(): readonly string[];
}

export interface AllocatorOptions {
  readonly node: string;
  readonly claims: BlockClaims;
  /** Names of blocks that are not in force, because another node has their addresses. */
  readonly refusedBlocks?: () => ReadonlySet<string>;
  readonly use: AddressUse;
  /** Those that this node has an address of. Without one, kubelet could not reach a pod's address of that family. */
  readonly families: () => readonly Family[];
}

const EXAMPLE: Record<Family, string> = { IPv4: "10.244.0.0/16", IPv6: "fd00:10:244::/56" };

/** Allocates workload addresses: from the node's blocks, and from a newly claimed one when they are full. */
export class Allocator {
  readonly #options: AllocatorOptions;
  // Recently claimed by this node; the list may not contain them yet.
  readonly #own = new Map<string, Block>();
  readonly #reserved = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: AllocatorOptions) {
    this.#options = options;
  }

  /** Returns a free address of each family that this node has and that is one of the pools', which are asked in their order. They stay reserved
   * until they are in use or release() is called. Rejects with an explanation if every pool of a family is used up. */
  allocate(pools: readonly Pool[]): Promise<PodAddresses> {
    // Sequential, because concurrent requests would each claim a block.
    const next = this.#last.then(() => this.#choose(pools));
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
    return this.#fromOwnBlocks(pools) ?? (this.#firstFree(await this.#claim(pools)) as Address);
  }

  #fromOwnBlocks(pools: readonly Pool[]): string | undefined {
    const places = new Map(pools.map(({ name }, place) => [name, place]));
    const placeOf = ({ pool }: Block) => places.get(pool) ?? pools.length;
    const listed = this.#options.claims.list().filter((block) => block.node === this.#options.node);
    const blocks = new Map([...this.#own.values(), ...listed].map((block) => [block.name, block]));
    const refused = this.#options.refusedBlocks?.() ?? new Set<string>();
    const usable = [...blocks.values()].filter((block) => places.has(block.pool) && !refused.has(block.name));
    return this.#leastRecentlyUsed(usable.sort((a, b) => placeOf(a) - placeOf(b)));
  }

  // A recently freed address may still be in connection tables or caches: use it last.
  #leastRecentlyUsed(blocks: readonly Block[]): string | undefined {
    const fresh = blocks.map((block) => this.#firstFree(block, new Set(this.#options.use.freed())));
    const never = fresh.find((address) => address !== undefined);
    if (never) return never;
    const taken = this.#taken();
    return this.#options.use
      .freed()
      .find((address) => !taken.has(address) && blocks.some((block) => contains(block, address)));
  }

  #firstFree(block: Block, avoid: ReadonlySet<string> = new Set()): string | undefined {
    const taken = this.#taken();
    const cidr = parseCidr(block.cidr);
    const size = sizeOf(cidr);
    // The first address of an IPv6 network is that of its routers (RFC 4291, 2.6.1).
    const first = cidr.family === "IPv6" && size > 1n ? 1n : 0n;
    for (let offset = first; offset < size; offset++) {
      const address = addressAt(cidr, offset);
      if (!taken.has(address) && !avoid.has(address)) return address;
    }
    return undefined;
  }

  #taken(): Set<string> {
    return new Set([...this.#options.use.used(), ...this.#reserved]);
  }

  async #claim(pools: readonly Pool[]): Promise<Block> {
    const known = [...this.#options.claims.list(), ...this.#own.values()].map(({ cidr }) => parseCidr(cidr));
    for (const pool of pools) {
      for (const block of candidates(pool, this.#options.node)) {
        const cidr = parseCidr(block.cidr);
        if (known.some((other) => overlap(other, cidr))) continue;
        if ((await this.#options.claims.create(block)) === "exists") continue;
        this.#own.set(block.name, block);
        return block;
      }
    }
    const names = pools.map((pool) => `${pool.name} (${pool.cidr})`).join(", ");
    throw new Error(
      `Every block of the IP pools ${names} is claimed. Next: add an IPPool, or delete the IPAMBlocks of removed nodes.`,
    );
  }
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
