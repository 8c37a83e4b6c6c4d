import { changesBetween } from "../../model/changes.ts";
import { hash32 } from "../../model/hash.ts";
import type { Named } from "../../model/named.ts";
import { each, finish, type Steps } from "../../model/steps.ts";

// Numbers for names, the same after every restart without the numbers being stored: a name's number is its hash.
// 0 and 0xffffffff mean something else in the maps (no identity, any identity) and are never given out.

const RESERVED = [0, 0xffffffff];

/** Numbers of the names that did not get their own hash; everybody else's number is `hash`. */
export type Displaced = ReadonlyMap<string, number>;

export function idOf(displaced: Displaced, named: Named): number {
  // Not every name is at hand (model/service/backend.ts).
  return displaced.size === 0 ? named.hash : (displaced.get(named.name) ?? named.hash);
}

/** Assigns numbers. Of the names with the same hash the first in sorted order keeps it, the others take the next free hash that
 * is no other name's own. The result depends only on the set of names, not on their order of arrival. */
export class Numbering<Item extends object> {
  readonly #namesOf: (item: Item) => readonly Named[];
  #items: readonly Item[] = [];
  /** By hash. Most have one name of one item: more than that would take most of an agent's memory. The others have the number of
   * items that have each name. */
  readonly #names = new Map<number, Named | Map<string, number>>();
  readonly #contested = new Set<number>();
  #last: Displaced = new Map();

  constructor(namesOf: (item: Item) => readonly Named[]) {
    this.#namesOf = namesOf;
  }

  /** The very same object as before where nothing changed. */
  assign(items: readonly Item[]): Displaced {
    return finish(this.assigning(items));
  }

  /** The same in parts. */
  *assigning(items: readonly Item[]): Steps<Displaced> {
    const { gone, come } = changesBetween(this.#items, items);
    this.#items = items;
    // Most names of a changed item stay. To take one away and add it again would leave a hole in the map each time, and a map with
    // as many holes takes twice the memory.
    const left = new Map<string, number>();
    yield* each(namesOfAll(gone, this.#namesOf), ({ name }) => left.set(name, (left.get(name) ?? 0) + 1));
    const isLeft = ({ name }: Named): boolean => {
      const count = left.get(name) ?? 0;
      if (count > 0) left.set(name, count - 1);
      return count > 0;
    };
    yield* each(namesOfAll(come, this.#namesOf), (named) =>
      isLeft(named) ? this.#replace(named) : this.#count(named, 1),
    );
    yield* each(namesOfAll(gone, this.#namesOf), (named) => isLeft(named) && this.#count(named, -1));
    const next = this.#displace();
    const same = next.size === this.#last.size && [...next].every(([name, id]) => this.#last.get(name) === id);
    if (!same) this.#last = next;
    return this.#last;
  }

  /** The name is now another item's: the one before, which is gone, is not kept. */
  #replace(named: Named): void {
    if (!(this.#names.get(named.hash) instanceof Map)) this.#names.set(named.hash, named);
  }

  #count(named: Named, more: 1 | -1): void {
    const { hash } = named;
    const known = this.#names.get(hash);
    if (known === undefined) {
      this.#names.set(hash, named);
      return;
    }
    const { name } = named;
    const counts = known instanceof Map ? known : new Map([[known.name, 1]]);
    const count = (counts.get(name) ?? 0) + more;
    if (count > 0) counts.set(name, count);
    else counts.delete(name);
    const [[first, ofFirst] = ["", 0], another] = counts;
    if (counts.size === 0) this.#names.delete(hash);
    else this.#names.set(hash, another || ofFirst > 1 ? counts : { name: first, hash });
    if (another) this.#contested.add(hash);
    else this.#contested.delete(hash);
  }

  #namesAt(hash: number): string[] {
    const known = this.#names.get(hash);
    if (known === undefined) return [];
    return known instanceof Map ? [...known.keys()].sort() : [known.name];
  }

  #displace(): Displaced {
    const losers = [
      ...[...this.#contested]
        .filter((hash) => !RESERVED.includes(hash))
        .flatMap((hash) => this.#namesAt(hash).slice(1)),
      ...RESERVED.flatMap((hash) => this.#namesAt(hash)),
    ];
    const taken = new Set(RESERVED);
    return new Map(
      losers.sort().map((name) => {
        let id = hash32(name);
        for (let attempt = 1; taken.has(id) || this.#names.has(id); attempt++) id = hash32(`${name}#${attempt}`);
        taken.add(id);
        return [name, id];
      }),
    );
  }
}

function* namesOfAll<Item>(items: Iterable<Item>, namesOf: (item: Item) => readonly Named[]): Iterable<Named> {
  for (const item of items) yield* namesOf(item);
}
