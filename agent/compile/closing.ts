import type { Excess, Shared } from "../../model/policy/shares.ts";
import type { NodeFacts } from "./snapshot.ts";

const WORDS: Readonly<Record<Shared, { what: string; next: string }>> = {
  entries: { what: "entries", next: "name larger blocks, or fewer ports" },
  blocks: { what: "blocks of addresses", next: "name larger blocks" },
  comparisons: {
    what: "comparisons of selectors with labels",
    next: "use fewer selectors, or such as name a label and its value (matchLabels), which are compared with few pods",
  },
};

interface Search {
  /** How many are closed now. */
  count: number;
  /** The most that is known to be too few, and the fewest that is known to be enough. */
  tooFew: number;
  enough?: number;
}

/** How many policies are closed because all together take too much of something: as few as will do, or a namespace that takes most would have others'
 * closed with its own. Tried are one, two, four … and then what lies between. */
export class Closing {
  readonly #searches = new Map<Shared, Search>();
  readonly #facts: NodeFacts;
  readonly #room: Readonly<Record<Shared, number>>;

  constructor(facts: NodeFacts, room: Readonly<Record<Shared, number>>) {
    this.#facts = facts;
    this.#room = room;
  }

  get excess(): readonly Excess[] {
    return [...this.#searches].map(([of, { count }]) => {
      const { what, next } = WORDS[of];
      const room = `which have room for ${this.#room[of]} ${what}`;
      const why = `does not fit beside the other policies of node ${this.#facts.nodeName}, ${room}`;
      return { of, count, why, next };
    });
  }

  /** @param all how many policies there are @returns whether another number is to be tried */
  goesOn(of: Shared, fits: boolean, all: number): boolean {
    const search = this.#searches.get(of);
    if (!search) {
      if (fits || all === 0) return false;
      this.#searches.set(of, { count: 1, tooFew: 0 });
      return true;
    }
    const { count } = search;
    if (fits ? count === search.enough : count >= all) return false;
    if (fits) search.enough = count;
    else search.tooFew = count;
    const { tooFew, enough } = search;
    const isBetween = enough !== undefined && enough > tooFew;
    search.count = isBetween ? Math.ceil((tooFew + enough) / 2) : Math.min(all, 2 * count);
    return search.count !== count;
  }

  /** Whether all are closed. */
  isEnd(of: Shared, all: number): boolean {
    return (this.#searches.get(of)?.count ?? 0) >= all;
  }
}
