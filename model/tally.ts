import { changesBetween } from "./changes.ts";

/** A sum over a list. An update costs as much as what changed. Items are compared by identity: a changed item is another object. */
export class Tally<T extends object> {
  readonly #of: (item: T) => number;
  #items: readonly T[] = [];
  #sum = 0;

  /** @param of returns the same result whenever it is called with an item */
  constructor(of: (item: T) => number) {
    this.#of = of;
  }

  /** The sum over these items, without duplicates. */
  over(items: readonly T[]): number {
    const { gone, come } = changesBetween(this.#items, items);
    for (const item of gone) this.#sum -= this.#of(item);
    for (const item of come) this.#sum += this.#of(item);
    this.#items = items;
    return this.#sum;
  }
}

/** The items of a list for which a condition holds. An update costs as much as what changed. */
export class Selection<T extends object> {
  readonly #is: (item: T) => boolean;
  #items: readonly T[] = [];
  #selected: readonly T[] = [];

  /** @param is returns the same result whenever it is called with an item */
  constructor(is: (item: T) => boolean) {
    this.#is = is;
  }

  /** The same array as long as it has the same items; in the order of `items` when it was made. */
  of(items: readonly T[]): readonly T[] {
    const { gone, come } = changesBetween(this.#items, items);
    if (gone.some(this.#is) || come.some(this.#is)) this.#selected = items.filter(this.#is);
    this.#items = items;
    return this.#selected;
  }
}
