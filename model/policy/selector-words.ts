import { SelectorIndex } from "./selector-index.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

type Selectors = ReadonlyMap<string, WorkloadSelector>;

/** A peer, by its labels, with the selectors that match it. */
export interface Meant {
  readonly who: Who;
  /** undefined: forgotten. */
  words: readonly string[] | undefined;
  /** The last round that asked. */
  round: number;
}

const NO_WORDS: readonly string[] = [];
/** The result for every peer while there are no selectors. */
const UNASKED: Meant = { who: { kind: "pod", labels: {} }, words: NO_WORDS, round: 0 };

/** Which selectors match a peer: their texts. Peers with the same labels share the list. It is the same object until a selector that
 * matches the peer comes or goes, so that one more policy costs only the peers that it selects. */
export class SelectorWords {
  #selectors: Selectors = new Map();
  #index = indexOf([]);
  #round = 0;
  readonly #known = new Map<string, Meant>();
  readonly #ids = new WeakMap<Who, string>();

  /** Uses these selectors from now on. Peers that were not looked up since the last call are forgotten. */
  update(selectors: Selectors): void {
    if (selectors === this.#selectors) return;
    const before = this.#selectors;
    const come = [...selectors.values()].filter(({ text }) => !before.has(text));
    const gone = new Set([...before.keys()].filter((text) => !selectors.has(text)));
    [this.#selectors, this.#index] = [selectors, indexOf(selectors.values())];
    const index = indexOf(come);
    for (const [id, known] of this.#known) {
      const { words = NO_WORDS } = known;
      if (known.round < this.#round) {
        known.words = undefined;
        this.#known.delete(id);
        continue;
      }
      const added = come.length > 0 ? index.of(known.who).map(({ text }) => text) : NO_WORDS;
      const lost = gone.size > 0 && words.some((text) => gone.has(text));
      if (added.length === 0 && !lost) continue;
      known.words = [...words.filter((text) => !gone.has(text)), ...added];
    }
    this.#round++;
  }

  of(who: Who): readonly string[] {
    return this.meant(who).words ?? NO_WORDS;
  }

  /** Peers with the same labels are the same object. */
  meant(who: Who): Meant {
    if (this.#selectors.size === 0) return UNASKED;
    const id = this.#ids.get(who) ?? JSON.stringify(who);
    this.#ids.set(who, id);
    let known = this.#known.get(id);
    if (!known) {
      known = { who, words: this.#index.of(who).map(({ text }) => text), round: this.#round };
      this.#known.set(id, known);
    }
    known.round = this.#round;
    return known;
  }

  /** Whether the same selectors still match the peer. This counts as a lookup. */
  areStill(meant: Meant, words: Meant["words"]): boolean {
    if (meant === UNASKED) return this.#selectors.size === 0;
    meant.round = this.#round;
    return meant.words !== undefined && meant.words === words;
  }
}

function indexOf(selectors: Iterable<WorkloadSelector>): SelectorIndex<WorkloadSelector> {
  return new SelectorIndex(selectors, (selector) => selector);
}
