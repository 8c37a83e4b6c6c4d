import type { Address } from "../../model/address/address.ts";
import { hostCidr } from "../../model/address/address.ts";
import { grantOf, lentAddresses } from "../../model/pool/loans.ts";
import type { Block, BlockClaims } from "./block.ts";

/** How long a block that this node has created is used although the list does not show it. */
const UNLISTED_MS = 10_000;

/** The requests that this node is about to send to the API server, kept on disk: the request of an agent that was killed may arrive
 * while the next agent runs. */
export interface Intentions {
  /** Names of blocks that are being given back. */
  leaving(): readonly string[];
  /** Throws if it cannot be written. */
  setLeaving(names: readonly string[]): void;
  /** Addresses of this node's blocks that are given to other nodes, with the uids of their requests. */
  lending(): readonly Lending[];
  /** Throws if it cannot be written. */
  setLending(all: readonly Lending[]): void;
}

export interface Lending {
  readonly address: Address;
  readonly request: string;
}

/** The blocks from which this node may allocate. The list decides: if a user deleted a block, another node may have it already. */
export class HeldBlocks {
  readonly #node: string;
  readonly #claims: BlockClaims;
  readonly #now: () => number;
  /** Blocks that this node has created and that the list does not show yet. */
  readonly #fresh = new Map<string, { block: Block; since: number }>();
  readonly #memory: Intentions;
  readonly #refused: () => ReadonlySet<string>;

  /** @param refused names of blocks that are not in force */
  constructor(
    node: string,
    claims: BlockClaims,
    memory: Intentions,
    now: () => number,
    refused: () => ReadonlySet<string>,
  ) {
    this.#refused = refused;
    this.#node = node;
    this.#claims = claims;
    this.#memory = memory;
    this.#now = now;
  }

  /** Borrowed addresses are blocks of one address, that `borrows`. */
  list(): readonly Block[] {
    const listed = this.#listed();
    for (const { name } of listed) this.#fresh.delete(name);
    for (const [name, { since }] of this.#fresh) if (this.#now() - since >= UNLISTED_MS) this.#fresh.delete(name);
    const names = new Set(listed.map(({ name }) => name));
    try {
      this.#keepLeaving((name) => names.has(name));
    } catch {
      // The disk is full. The name of a deleted block does no harm, and a method that only reads the list must not fail.
    }
    const fresh = [...this.#fresh.values()].map(({ block }) => block);
    const leaving = this.#memory.leaving();
    return [...fresh, ...listed].filter(({ name, isPending }: Listed) => !isPending && !leaving.includes(name));
  }

  /** Requests of this node that no other node has answered. */
  pending(): readonly Block[] {
    const leaving = this.#memory.leaving();
    return this.#listed().filter(({ name, isPending }) => isPending && !leaving.includes(name));
  }

  /** Claims a block, or asks for an address of another node's. */
  async claim(block: Block): Promise<"created" | "exists"> {
    const answer = await this.#claims.create(block);
    if (answer === "exists") return answer;
    if (!block.borrows) this.#fresh.set(block.name, { block, since: this.#now() });
    this.#keepLeaving((name) => name !== block.name);
    return answer;
  }

  /** From now on no address of the block is allocated, even if the answer is lost: then the block is given back again later. */
  async giveBack(block: Block): Promise<void> {
    this.#memory.setLeaving([...new Set([...this.#memory.leaving(), block.name])]);
    await this.#claims.free(block);
  }

  /** Blocks that were given back, without an answer, and are still listed. */
  leaving(): readonly Block[] {
    const leaving = this.#memory.leaving();
    return this.#listed().filter(({ name }) => leaving.includes(name));
  }

  #keepLeaving(keeps: (name: string) => boolean): void {
    const leaving = this.#memory.leaving();
    const kept = leaving.filter(keeps);
    if (kept.length < leaving.length) this.#memory.setLeaving(kept);
  }

  #listed(): readonly Listed[] {
    const all = this.#claims.list();
    const own = all.filter(({ node }) => node === this.#node);
    if (!own.some(({ borrows }) => borrows)) return own;
    const lent = lentAddresses(all.filter(({ name }) => !this.#refused().has(name)));
    return own.map((block) => {
      if (!block.borrows) return block;
      const address = grantOf(block, lent);
      return address === undefined ? { ...block, isPending: true } : { ...block, cidr: hostCidr(address).text };
    });
  }
}

/** A request that is not answered has no address. */
export interface Listed extends Block {
  readonly isPending?: boolean;
}
