import { Claims } from "../../model/claims.ts";
import { hash32 } from "../../model/hash.ts";
import type { Named } from "../../model/named.ts";
import { finish, type Steps } from "../../model/steps.ts";

// Numbers for names, the same after every restart without the numbers being stored: a name's number is its hash.
// 0 and 0xffffffff mean something else in the maps (no identity, any identity) and are never given out.

const RESERVED = [0, 0xffffffff];

/** Numbers of the names that did not get their own hash; everybody else's number is `hash`. */
export type Displaced = ReadonlyMap<string, number>;

export function idOf(displaced: Displaced, { name, hash }: Named): number {
  return displaced.get(name) ?? hash;
}

/** Assigns numbers. Of the names with the same hash the first in sorted order keeps it, the others take the next free hash that
 * is no other name's own. The result depends only on the set of names, not on their order of arrival. */
export class Numbering<Item extends object> {
  readonly #claims: Claims<Item, number>;
  #last: Displaced = new Map();

  constructor(namesOf: (item: Item) => readonly Named[]) {
    this.#claims = new Claims((item) => namesOf(item).map(({ name, hash }) => [hash, name]));
  }

  /** The very same object as before where nothing changed. */
  assign(items: readonly Item[]): Displaced {
    return finish(this.assigning(items));
  }

  /** The same in parts. */
  *assigning(items: readonly Item[]): Steps<Displaced> {
    yield* this.#claims.updating(items);
    const next = this.#displace();
    const same = next.size === this.#last.size && [...next].every(([name, id]) => this.#last.get(name) === id);
    if (!same) this.#last = next;
    return this.#last;
  }

  #displace(): Displaced {
    const namesAt = (hash: number) => [...this.#claims.names(hash)].sort();
    const losers = [
      ...[...this.#claims.contested]
        .filter((hash) => !RESERVED.includes(hash))
        .flatMap((hash) => namesAt(hash).slice(1)),
      ...RESERVED.flatMap(namesAt),
    ];
    const taken = new Set(RESERVED);
    return new Map(
      losers.sort().map((name) => {
        let id = hash32(name);
        for (let attempt = 1; taken.has(id) || this.#claims.has(id); attempt++) id = hash32(`${name}#${attempt}`);
        taken.add(id);
        return [name, id];
      }),
    );
  }
}
