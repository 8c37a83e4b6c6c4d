// What the fuzzer continues later: each in a place of its own, whatever was remembered before, so that one more or less of them changes only the packets
// that continue it.
import { hash32 } from "../../model/hash.ts";
import type { Random } from "./random.ts";

export class Known<T> {
  readonly #places: (T | undefined)[];
  #count = 0;

  constructor(size: number) {
    this.#places = new Array<T | undefined>(size).fill(undefined);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @param key what tells it from others; one with the same place makes room */
  remember(key: string, item: T): void {
    const place = hash32(key) % this.#places.length;
    if (this.#places[place] === undefined) this.#count++;
    this.#places[place] = item;
  }

  /** The one at a random place, or the next one behind that. @throws Error if there is none */
  some(random: Random): T {
    const { length } = this.#places;
    const first = random.below(length);
    for (let step = 0; step < length; step++) {
      const item = this.#places[(first + step) % length];
      if (item !== undefined) return item;
    }
    throw new Error("Nothing is known.");
  }
}
