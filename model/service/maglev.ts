import { hash32 } from "../hash.ts";
import type { Steps } from "../steps.ts";
import { placesOf } from "./weights.ts";

// Maglev's table ("Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, 3.4): each backend has an order of preference
// of the entries, drawn from its name, and all take turns, with a weight several in each round (3.4 there). It depends on names and weights only, so the agents of all nodes
// build the same one, and when a backend comes or goes, few entries of the others change.

/** Sizes are primes, so that each backend's steps visit all entries, and two only: a table of another size gives most connections
 * another backend, so the size must not follow the number of backends closely. Each backend has at least 20 entries, so the shares
 * differ by 5 % at most. */
const SIZES = [
  { backends: 200, size: 4_093 },
  { backends: 3_276, size: 65_521 },
] as const;

/** Entries of the table for so many backends; 0: there are none, or too many for a table. */
export function tableSize(backends: number): number {
  if (backends === 0) return 0;
  return SIZES.find((step) => backends <= step.backends)?.size ?? 0;
}

/** The most backends that a table has. */
export const TABLE_BACKENDS = SIZES[1].backends;

/** Looks at entries that are one part. */
const PART = 4_096;

/** The backend of each entry. In the order of the backends' names, which decides who takes an entry that several prefer. */
export function* maglevTable<T extends { readonly name: string; readonly weight: number }>(
  backends: readonly T[],
): Steps<readonly T[]> {
  const size = tableSize(backends.length);
  if (size === 0) return [];
  const preferences = backends
    .map((backend) => ({ backend, name: backend.name }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ backend, name }) => ({
      backend,
      next: hash32(name) % size,
      skip: (hash32(`${name} skip`) % (size - 1)) + 1,
    }));
  const times = placesOf(preferences.map(({ backend }) => backend.weight));
  const turns = inRounds(preferences, times);
  const table = new Array<T | undefined>(size).fill(undefined);
  let looks = 0;
  for (let taken = 0; taken < size; taken++) {
    const turn = turns[taken % turns.length] as (typeof turns)[number];
    while (table[turn.next] !== undefined) {
      turn.next = (turn.next + turn.skip) % size;
      if (++looks % PART === 0) yield;
    }
    table[turn.next] = turn.backend;
  }
  return table as T[];
}

/** The order of turns: in the first round all of them, in each later one those that have so many. */
function inRounds<T>(all: readonly T[], times: readonly number[]): readonly T[] {
  const rounds = times.reduce((most, one) => Math.max(most, one), 0);
  return Array.from({ length: rounds }, (_, round) => all.filter((_, at) => (times[at] ?? 0) > round)).flat();
}
