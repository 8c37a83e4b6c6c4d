import { changesBetween } from "./changes.ts";
import { each, finish, type Steps } from "./steps.ts";

/** One claim on a key: the claimant's name and the item it was read from. */
export interface Claim<Item> {
  readonly name: string;
  readonly item: Item;
}

/** Who claims which key, brought up to date from one compilation to the next at the cost of what changed, however many have
 * the same key. Items are compared by identity: one that changed is another object. */
export class Claims<Item extends object, K> {
  readonly #claimsOf: (item: Item) => Iterable<readonly [K, string]>;
  /** By key and name. */
  readonly #holders = new Map<K, Map<string, Set<Item>>>();
  readonly #contested = new Set<K>();
  #items: readonly Item[] = [];

  constructor(claimsOf: (item: Item) => Iterable<readonly [K, string]>) {
    this.#claimsOf = claimsOf;
  }

  /** Replaces the items by these. */
  update(items: readonly Item[]): void {
    finish(this.updating(items));
  }

  /** The same in parts. */
  *updating(items: readonly Item[]): Steps<void> {
    const { gone, come } = changesBetween(this.#items, items);
    yield* each(claimsOfAll(gone, this.#claimsOf), ([item, key, name]) => this.#remove(item, key, name));
    yield* each(claimsOfAll(come, this.#claimsOf), ([item, key, name]) => this.#add(item, key, name));
    this.#items = items;
  }

  has(key: K): boolean {
    return this.#holders.has(key);
  }

  get(key: K): readonly Claim<Item>[] {
    return [...(this.#holders.get(key) ?? [])].flatMap(([name, items]) => [...items].map((item) => ({ name, item })));
  }

  /** Each claimant of the key once. */
  names(key: K): readonly string[] {
    return [...(this.#holders.get(key)?.keys() ?? [])];
  }

  /** Keys that claimants of different names want. */
  get contested(): ReadonlySet<K> {
    return this.#contested;
  }

  #add(item: Item, key: K, name: string): void {
    const holders = this.#holders.get(key) ?? new Map<string, Set<Item>>();
    this.#holders.set(key, holders);
    const items = holders.get(name);
    if (items) items.add(item);
    else holders.set(name, new Set([item]));
    if (holders.size > 1) this.#contested.add(key);
  }

  #remove(item: Item, key: K, name: string): void {
    const holders = this.#holders.get(key);
    const items = holders?.get(name);
    items?.delete(item);
    if (items?.size === 0) holders?.delete(name);
    if (holders?.size === 0) this.#holders.delete(key);
    if ((holders?.size ?? 0) < 2) this.#contested.delete(key);
  }
}

function* claimsOfAll<Item, K>(
  items: Iterable<Item>,
  claimsOf: (item: Item) => Iterable<readonly [K, string]>,
): Iterable<[Item, K, string]> {
  for (const item of items) {
    for (const [key, name] of claimsOf(item)) yield [item, key, name];
  }
}
