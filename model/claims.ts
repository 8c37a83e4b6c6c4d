import { changesBetween } from "./changes.ts";
import { each, finish, type Steps } from "./steps.ts";

/** One claim on a key: the claimant's name and the item it was read from. */
export interface Claim<Item> {
  readonly name: string;
  readonly item: Item;
}

/** The claimants of each key. An update costs as much as what changed, however many claimants the same key has. Items are compared by
 * identity: a changed item is another object. */
export class Claims<Item extends object, K> {
  readonly #claimsOf: (item: Item) => Iterable<readonly [K, string]>;
  /** Most keys have one claim: a map for each would take most of an agent's memory. */
  readonly #single = new Map<K, Claim<Item>>();
  /** The claims of keys with several claimants, by name. */
  readonly #shared = new Map<K, Map<string, Set<Item>>>();
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
    return this.#single.has(key) || this.#shared.has(key);
  }

  get(key: K): readonly Claim<Item>[] {
    const single = this.#single.get(key);
    if (single) return [single];
    return [...(this.#shared.get(key) ?? [])].flatMap(([name, items]) => [...items].map((item) => ({ name, item })));
  }

  /** Each claimant of the key once. */
  names(key: K): readonly string[] {
    const single = this.#single.get(key);
    return single ? [single.name] : [...(this.#shared.get(key)?.keys() ?? [])];
  }

  /** Keys that claimants with different names want. */
  get contested(): ReadonlySet<K> {
    return this.#contested;
  }

  #add(item: Item, key: K, name: string): void {
    const single = this.#single.get(key);
    if (single?.item === item && single.name === name) return;
    let holders = this.#shared.get(key);
    if (!single && !holders) {
      this.#single.set(key, { name, item });
      return;
    }
    if (!holders) {
      holders = new Map<string, Set<Item>>();
      this.#shared.set(key, holders);
    }
    if (single) {
      this.#single.delete(key);
      holders.set(single.name, new Set([single.item]));
    }
    const items = holders.get(name);
    if (items) items.add(item);
    else holders.set(name, new Set([item]));
    if (holders.size > 1) this.#contested.add(key);
  }

  #remove(item: Item, key: K, name: string): void {
    const single = this.#single.get(key);
    if (single?.item === item && single.name === name) this.#single.delete(key);
    const holders = this.#shared.get(key);
    const items = holders?.get(name);
    items?.delete(item);
    if (items?.size === 0) holders?.delete(name);
    if (holders?.size === 0) this.#shared.delete(key);
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
