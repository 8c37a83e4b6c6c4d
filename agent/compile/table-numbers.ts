import { hash32 } from "../../model/hash.ts";
import type { Named } from "../../model/named.ts";

/** Numbers of one policy's tables of source ports. A table keeps its number, and no other one gets it: its entries never change their
 * meaning. */
export class TableNumbers {
  readonly #policy: number;
  readonly #numbers = new Map<string, number>();
  readonly #taken = new Set<number>();

  constructor({ hash }: Named) {
    this.#policy = hash;
  }

  of(text: string): number {
    let number = this.#numbers.get(text);
    for (let attempt = 0; number === undefined; attempt++) {
      const free = hash32(`${this.#policy} ${text} ${attempt}`);
      if (!this.#taken.has(free)) number = free;
    }
    this.#numbers.set(text, number);
    this.#taken.add(number);
    return number;
  }
}
