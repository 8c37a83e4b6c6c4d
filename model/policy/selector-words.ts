import { SelectorIndex } from "./selector-index.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

type Selectors = ReadonlyMap<string, WorkloadSelector>;

interface Known {
  readonly who: Who;
  words: readonly string[];
  /** The last round that asked. */
  round: number;
}

const NO_WORDS: readonly string[] = [];

/** Which selectors mean somebody: their texts. Whoever has the same labels shares the list, and it is the very same object until a
 * selector that means him comes or goes, so that one policy more costs only whom it can tell. */
export class SelectorWords {
  #selectors: Selectors = new Map();
  #index = indexOf([]);
  #round = 0;
  readonly #known = new Map<string, Known>();
  readonly #ids = new WeakMap<Who, string>();

  /** Asks for these selectors from now on. Who was not asked for since the last time is forgotten. */
  update(selectors: Selectors): void {
    if (selectors === this.#selectors) return;
    const before = this.#selectors;
    const come = [...selectors.values()].filter(({ text }) => !before.has(text));
    const gone = new Set([...before.keys()].filter((text) => !selectors.has(text)));
    [this.#selectors, this.#index] = [selectors, indexOf(selectors.values())];
    const index = indexOf(come);
    for (const [id, known] of this.#known) {
      if (known.round < this.#round) {
        this.#known.delete(id);
        continue;
      }
      const added = come.length > 0 ? index.of(known.who).map(({ text }) => text) : NO_WORDS;
      const lost = gone.size > 0 && known.words.some((text) => gone.has(text));
      if (added.length === 0 && !lost) continue;
      known.words = [...known.words.filter((text) => !gone.has(text)), ...added];
    }
    this.#round++;
  }

  of(who: Who): readonly string[] {
    if (this.#selectors.size === 0) return NO_WORDS;
    const id = this.#ids.get(who) ?? JSON.stringify(who);
    this.#ids.set(who, id);
    const known = this.#known.get(id);
    if (known) {
      known.round = this.#round;
      return known.words;
    }
    const words = this.#index.of(who).map(({ text }) => text);
    this.#known.set(id, { who, words, round: this.#round });
    return words;
  }
}

function indexOf(selectors: Iterable<WorkloadSelector>): SelectorIndex<WorkloadSelector> {
  return new SelectorIndex(selectors, (selector) => selector);
}
