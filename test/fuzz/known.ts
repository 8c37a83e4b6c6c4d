// What the fuzzer continues later: each in a place of its own, whatever was remembered before, so that one more or less of them changes only the packets
// that continue it.
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
    const place = hash(key) % this.#places.length;
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

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}
