import type { PolicyNames } from "../compile/desired.ts";
import { bothNames } from "../compile/rule-names.ts";

export const KINDS_OF_NUMBERS = [
  "identities",
  "policies",
  "rules",
  "logs",
  "defaults",
] as const satisfies readonly (keyof PolicyNames)[];

/** How many names that are no longer in force are kept: for events that were written before, and are read later. */
const MOST_GONE = 10_000;

/** The names of numbers, including those of the recent past. A number is computed from what it names (compile/ids.ts), so it rarely gets
 * another name. If it does, it has both names from then on, so that no event gets a wrong one. */
export class NumberHistory {
  readonly #mostGone: number;
  #now: PolicyNames | undefined;
  #known = {
    identities: new Map(),
    policies: new Map(),
    rules: new Map(),
    logs: new Map(),
    defaults: new Map(),
  } as Record<keyof PolicyNames, Map<number, string>>;

  /** @param mostGone fewer for tests */
  constructor(mostGone = MOST_GONE) {
    this.#mostGone = mostGone;
  }

  get names(): PolicyNames {
    return this.#known;
  }

  /** Adds the current names of the numbers in the maps. */
  add(names: PolicyNames): void {
    const before = this.#now;
    this.#now = names;
    for (const kind of KINDS_OF_NUMBERS) {
      if (before?.[kind] !== names[kind]) this.#merge(this.#known[kind], names[kind]);
    }
  }

  // Map keeps the order of insertion: names in force move behind the others.
  #merge(known: Map<number, string>, now: ReadonlyMap<number, string>): void {
    for (const [number, name] of now) {
      const before = known.get(number);
      known.delete(number);
      known.set(number, before === undefined || before === name ? name : bothNames(before, name));
    }
    for (const number of known.keys()) {
      if (known.size <= now.size + this.#mostGone) break;
      known.delete(number);
    }
  }
}
