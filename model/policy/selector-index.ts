import { labelTexts, type Who, type WorkloadSelector } from "./workload-selector.ts";

/** Finds what selects somebody without asking every selector: of thousands for single applications, a few. */
export class SelectorIndex<T> {
  /** Of selectors that ask for no label in particular. */
  readonly #others: readonly T[];
  readonly #byLabel: ReadonlyMap<string | undefined, readonly T[]>;
  readonly #selectorOf: (item: T) => WorkloadSelector;

  constructor(items: Iterable<T>, selectorOf: (item: T) => WorkloadSelector) {
    const byLabel = Map.groupBy(items, (item) => selectorOf(item).firstLabel);
    this.#others = byLabel.get(undefined) ?? [];
    byLabel.delete(undefined);
    this.#byLabel = byLabel;
    this.#selectorOf = selectorOf;
  }

  /** Those that select `who`, in no particular order. */
  of(who: Who): T[] {
    const isMeant = (item: T) => this.#selectorOf(item).selects(who);
    const found = this.#others.filter(isMeant);
    if (this.#byLabel.size === 0) return found;
    for (const label of labelTexts(who)) {
      for (const item of this.#byLabel.get(label) ?? []) if (isMeant(item)) found.push(item);
    }
    return found;
  }
}
