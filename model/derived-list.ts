import { changesBetween } from "./changes.ts";
import { same } from "./memo.ts";
import type { Steps } from "./steps.ts";

// Items that are passed over in one part.
const PART = 1024;

/** A list that is made from another one, item by item, again and again. What was made of an item is used again as long as it
 * is the same object, at the cost of a comparison; the list itself, as long as all of it is. */
export class DerivedList<T extends object, R> {
  #inputs: readonly unknown[] = [];
  #from: readonly T[] = [];
  #to: readonly R[] = [];

  /** Items without duplicates. @param inputs what all results depend on: everything is made again when one is another object
   * @param again items of which the result, as it was made, depends on more than that and the item */
  *deriving(
    items: readonly T[],
    inputs: readonly unknown[],
    make: (item: T) => Steps<R>,
    again: ((item: T, made: R) => boolean) | undefined,
  ): Steps<readonly R[]> {
    const [from, to] = same(this.#inputs, inputs) ? [this.#from, this.#to] : [[], []];
    const { gone, come } = changesBetween(from, items);
    const [left, added] = [new Set(gone), new Set(come)];
    let moved: ReadonlyMap<T, number> | undefined;
    // The list before, as long as the results are the same.
    let made: R[] | undefined;
    let place = 0;
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as T;
      if (index % PART === 0) yield;
      let known = -1;
      if (from[place] === item) known = place++;
      else if (!added.has(item)) {
        while (place < from.length && left.has(from[place] as T)) place++;
        if (from[place] === item) known = place++;
        else {
          moved ??= new Map(from.map((before, index) => [before, index]));
          known = moved.get(item) ?? -1;
        }
      }
      const isMade = known < 0 || again?.(item, to[known] as R);
      if (!isMade && !made && known === index) continue;
      made ??= to.slice(0, items.length);
      made[index] = isMade ? yield* make(item) : (to[known] as R);
    }
    const all = made ?? (items.length === to.length ? to : to.slice(0, items.length));
    [this.#inputs, this.#from, this.#to] = [inputs, items, all];
    return all;
  }
}
