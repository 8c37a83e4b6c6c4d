import { each, finish, type Steps } from "../steps.ts";

/** One claim on a key: the claimant's name and the item it was read from. */
export interface Claim<Item> {
  readonly name: string;
  readonly item: Item;
}

/** Who claims which key, brought up to date from one compilation to the next at the cost of what changed. Items are
 * compared by identity: one that changed is another object. */
export class Claims<Item extends object, K> {
  readonly #claimsOf: (item: Item) => Iterable<readonly [K, string]>;
  readonly #holders = new Map<K, Claim<Item>[]>();
  readonly #contested = new Set<K>();
  #items: ReadonlySet<Item> = new Set();

  constructor(claimsOf: (item: Item) => Iterable<readonly [K, string]>) {
    this.#claimsOf = claimsOf;
  }

  /** Replaces the items by these. */
  update(items: Iterable<Item>): void {
    finish(this.updating(items));
  }

  /** The same in parts. */
  *updating(items: Iterable<Item>): Steps<void> {
    const next = new Set(items);
    const last = this.#items;
    yield* each(last, (item) => {
      if (!next.has(item)) this.#remove(item);
    });
    yield* each(next, (item) => {
      if (!last.has(item)) this.#add(item);
    });
    this.#items = next;
  }

  has(key: K): boolean {
    return this.#holders.has(key);
  }

  get(key: K): readonly Claim<Item>[] {
    return this.#holders.get(key) ?? [];
  }

  /** Keys that claimants of different names want. */
  get contested(): ReadonlySet<K> {
    return this.#contested;
  }

  #add(item: Item): void {
    for (const [key, name] of this.#claimsOf(item)) {
      const holders = this.#holders.get(key);
      if (holders) holders.push({ name, item });
      else this.#holders.set(key, [{ name, item }]);
      if (holders) this.#judge(key, holders);
    }
  }

  #remove(item: Item): void {
    for (const [key] of this.#claimsOf(item)) {
      const rest = this.#holders.get(key)?.filter((claim) => claim.item !== item) ?? [];
      if (rest.length > 0) this.#holders.set(key, rest);
      else this.#holders.delete(key);
      this.#judge(key, rest);
    }
  }

  #judge(key: K, holders: readonly Claim<Item>[]): void {
    if (holders.some(({ name }) => name !== holders[0]?.name)) this.#contested.add(key);
    else this.#contested.delete(key);
  }
}
