import { labelTexts, type Who, type WorkloadSelector } from "./workload-selector.ts";

/** Finds what selects somebody without asking every selector: of thousands for single applications, a few. */
export class SelectorIndex<T> {
  readonly #byLabel: ReadonlyMap<string | undefined, readonly T[]>;
  readonly #selectorOf: (item: T) => WorkloadSelector;

  constructor(items: Iterable<T>, selectorOf: (item: T) => WorkloadSelector) {
    this.#byLabel = Map.groupBy(items, (item) => selectorOf(item).firstLabel);
    this.#selectorOf = selectorOf;
  }

  /** Those that select `who`, in no particular order. */
  of(who: Who): T[] {
    return [undefined, ...labelTexts(who)].flatMap((label) =>
      (this.#byLabel.get(label) ?? []).filter((item) => this.#selectorOf(item).selects(who)),
    );
  }
}
