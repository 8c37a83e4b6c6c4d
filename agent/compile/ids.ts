import { hash32 } from "./hash.ts";

// Numbers for names, the same after every restart without anything being stored: a name's number is its hash.
// 0 and 0xffffffff mean something else in the maps (no identity, any identity) and are never given out.

const RESERVED = new Set([0, 0xffffffff]);

/** A name and its first choice of number, computed once per name. */
export interface Named {
  readonly name: string;
  readonly hash: number;
}

export function named(name: string): Named {
  return { name, hash: hash32(name) };
}

/** Numbers of the names that did not get their own hash; everybody else's number is `hash`. */
export type Displaced = ReadonlyMap<string, number>;

export function idOf(displaced: Displaced, { name, hash }: Named): number {
  return displaced.get(name) ?? hash;
}

/** Resolves collisions: of the names with one hash the first in sorted order keeps it, the others take the next hash
 * that is nobody's own. A function of the set of names alone, so every order of arrival ends the same. */
export function displace(names: Iterable<Named>): Displaced {
  const holders = new Map<number, string>();
  const losers = new Set<string>();
  for (const { name, hash } of names) {
    const holder = RESERVED.has(hash) ? "" : holders.get(hash);
    if (holder === undefined) holders.set(hash, name);
    else if (holder !== name) {
      const wins = holder > name;
      if (wins) holders.set(hash, name);
      losers.add(wins ? holder : name);
    }
  }
  const displaced = new Map<string, number>();
  for (const name of [...losers].sort()) {
    for (let attempt = 1; ; attempt++) {
      const id = hash32(`${name}#${attempt}`);
      if (RESERVED.has(id) || holders.has(id)) continue;
      holders.set(id, name);
      displaced.set(name, id);
      break;
    }
  }
  return displaced;
}
