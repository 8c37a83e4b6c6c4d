import { changesBetween } from "./changes.ts";
import { sameObjects } from "./memo.ts";
import type { Steps } from "./steps.ts";

// How many unchanged items are skipped in one part.
const PART = 1024;

/** A list that is derived from another one, item by item, again and again. The result of an item is reused as long as the item is the
 * same object, at the cost of a comparison. The whole list is the same object as long as all results are. */
export class DerivedList<T extends object, R> {
  #inputs: readonly unknown[] = [];
  #from: readonly T[] = [];
  #to: readonly R[] = [];

  /** Items without duplicates. @param inputs on which all results depend: if one of them is another object, everything is derived again
   * @param again items whose result depended on more than the inputs and the item */
  *deriving(
    items: readonly T[],
    inputs: readonly unknown[],
    make: (item: T) => Steps<R>,
    again: ((item: T, made: R) => boolean) | undefined,
  ): Steps<readonly R[]> {
    const [from, to] = sameObjects(this.#inputs, inputs) ? [this.#from, this.#to] : [[], []];
    const { gone, come } = changesBetween(from, items);
    const [left, added] = [new Set(gone), new Set(come)];
    let moved: ReadonlyMap<T, number> | undefined;
    // The previous list, if the results are the same.
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
