import { NAMESPACE_LABEL } from "./calico-labels.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

/** Finds the selectors that match a peer without evaluating every selector: of thousands for single applications, a few. Ten thousand
 * pods are looked up with every change of a policy, most in vain, so a pod that nothing selects uses no memory. */
export class SelectorIndex<T> {
  /** Selectors that require no certain label. */
  readonly #others: T[] = [];
  /** By key and value of their first label. */
  readonly #byLabel = new Map<string, Map<string, T[]>>();
  readonly #selectorOf: (item: T) => WorkloadSelector;

  constructor(items: Iterable<T>, selectorOf: (item: T) => WorkloadSelector) {
    this.#selectorOf = selectorOf;
    for (const item of items) this.#listFor(selectorOf(item)).push(item);
  }

  /** Those that select `who`, in no particular order. */
  of(who: Who): readonly T[] {
    const { labels, namespace } = who;
    let found = this.#meaning(who, this.#others, undefined);
    if (this.#byLabel.size > 0) {
      for (const key in labels) found = this.#meaning(who, this.#byLabel.get(key)?.get(labels[key] as string), found);
      if (namespace !== undefined && labels[NAMESPACE_LABEL] !== namespace)
        found = this.#meaning(who, this.#byLabel.get(NAMESPACE_LABEL)?.get(namespace), found);
    }
    return found ?? NOTHING;
  }

  #meaning(who: Who, items: readonly T[] = NOTHING, found: T[] | undefined): T[] | undefined {
    let all = found;
    for (const item of items) {
      if (!this.#selectorOf(item).selects(who)) continue;
      all ??= [];
      all.push(item);
    }
    return all;
  }

  #listFor({ firstLabel }: WorkloadSelector): T[] {
    if (!firstLabel) return this.#others;
    const [key, value] = firstLabel;
    const byValue = this.#byLabel.get(key) ?? new Map<string, T[]>();
    const list = byValue.get(value) ?? [];
    this.#byLabel.set(key, byValue.set(value, list));
    return list;
  }
}

const NOTHING: readonly never[] = [];
