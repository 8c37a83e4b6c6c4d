import type { Block, BlockClaims } from "./block.ts";

/** How long a block that this node has created is used although the list does not show it. */
const UNLISTED_MS = 10_000;

/** Names of blocks that this node is about to give back, on disk: the request of an agent that was killed may arrive while the next one runs. */
export interface LeavingBlocks {
  leaving(): readonly string[];
  /** Throws if it cannot be written. */
  setLeaving(names: readonly string[]): void;
}

/** The blocks that this node may allocate from. The list decides: a block that somebody has deleted may be another node's already. */
export class HeldBlocks {
  readonly #node: string;
  readonly #claims: BlockClaims;
  readonly #now: () => number;
  /** Created by this node, and not in the list yet. */
  readonly #fresh = new Map<string, { block: Block; since: number }>();
  readonly #memory: LeavingBlocks;

  constructor(node: string, claims: BlockClaims, memory: LeavingBlocks, now: () => number) {
    this.#node = node;
    this.#claims = claims;
    this.#memory = memory;
    this.#now = now;
  }

  list(): readonly Block[] {
    const listed = this.#listed();
    for (const { name } of listed) this.#fresh.delete(name);
    for (const [name, { since }] of this.#fresh) if (this.#now() - since >= UNLISTED_MS) this.#fresh.delete(name);
    const names = new Set(listed.map(({ name }) => name));
    this.#keepLeaving((name) => names.has(name));
    const fresh = [...this.#fresh.values()].map(({ block }) => block);
    const leaving = this.#memory.leaving();
    return [...fresh, ...listed].filter(({ name }) => !leaving.includes(name));
  }

  /** Claims a block. */
  async claim(block: Block): Promise<"created" | "exists"> {
    const answer = await this.#claims.create(block);
    if (answer === "exists") return answer;
    this.#fresh.set(block.name, { block, since: this.#now() });
    this.#keepLeaving((name) => name !== block.name);
    return answer;
  }

  /** From here on no address of the block is given, also if the answer is lost: then it is given back again later. */
  async giveBack(block: Block): Promise<void> {
    this.#memory.setLeaving([...new Set([...this.#memory.leaving(), block.name])]);
    await this.#claims.free(block);
  }

  /** Given back without an answer, and still listed. */
  leaving(): readonly Block[] {
    const leaving = this.#memory.leaving();
    return this.#listed().filter(({ name }) => leaving.includes(name));
  }

  #keepLeaving(keeps: (name: string) => boolean): void {
    const leaving = this.#memory.leaving();
    const kept = leaving.filter(keeps);
    if (kept.length < leaving.length) this.#memory.setLeaving(kept);
  }

  #listed(): readonly Block[] {
    return this.#claims.list().filter(({ node }) => node === this.#node);
  }
}
