import type { PolicyNames } from "../compile/desired.ts";
import { bothNames } from "../compile/rule-names.ts";

export const KINDS_OF_NUMBERS = [
  "identities",
  "policies",
  "rules",
  "logs",
  "defaults",
] as const satisfies readonly (keyof PolicyNames)[];

/** Names that vanished and are still known: of events that were written before, and are read later. */
const MOST_GONE = 10_000;

/** The names of numbers, those of the recent past too. Numbers come from what they name (compile/ids.ts), so that one rarely gets
 * another name; if it does, it has both from then on, and no event is given a wrong one. */
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

  /** What the maps now mean. */
  add(names: PolicyNames): void {
    const before = this.#now;
    this.#now = names;
    for (const kind of KINDS_OF_NUMBERS) {
      if (before?.[kind] !== names[kind]) this.#merge(this.#known[kind], names[kind]);
    }
  }

  // Map keeps the order of insertion: what is in force moves behind what is gone.
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
