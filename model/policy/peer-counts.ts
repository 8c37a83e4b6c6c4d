import { changesBetween } from "../changes.ts";
import type { Pod } from "../objects/core.ts";
import { NAMESPACE_LABEL } from "./calico-labels.ts";
import type { LabelledBlocks } from "./network-sets.ts";
import type { Labels } from "./selector.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** A selector of so many characters costs one comparison more. */
const CHARACTERS = 64;

interface Kind {
  readonly labels: Labels;
  readonly namespace: string | undefined;
  count: number;
}

/** The sets of labels in a cluster, each once, and how many of them a selector is compared with (selector-index.ts). Comparing costs time, and each
 * selector that means a peer a place in what is known of that peer: the product of both is what policies can make grow. */
export class PeerCounts {
  #pods: readonly Pod[] = [];
  #sets: readonly LabelledBlocks[] = [];
  readonly #ids = new WeakMap<object, string>();
  readonly #kinds = new Map<string, Kind>();
  readonly #byLabel = new Map<string, number>();

  /** Only what came or went is counted again. @param sets network sets, and nodes */
  update(pods: readonly Pod[], sets: readonly LabelledBlocks[]): void {
    const ofPods = changesBetween(this.#pods, pods);
    const ofSets = changesBetween(this.#sets, sets);
    [this.#pods, this.#sets] = [pods, sets];
    for (const { metadata } of ofPods.come) this.#add(metadata, metadata.labels ?? {}, metadata.namespace ?? "default");
    for (const { who } of ofSets.come) this.#add(who, who.labels, who.namespace);
    for (const { metadata } of ofPods.gone) this.#remove(metadata);
    for (const { who } of ofSets.gone) this.#remove(who);
  }

  /** What one selector costs. */
  comparisons({ text, firstLabel }: Pick<WorkloadSelector, "text" | "firstLabel">): number {
    const peers = firstLabel ? (this.#byLabel.get(labelText(...firstLabel)) ?? 0) : this.#kinds.size;
    return (1 + Math.floor(text.length / CHARACTERS)) * Math.max(1, peers);
  }

  /** @param owner whose labels they are, which do not change */
  #add(owner: object, labels: Labels, namespace: string | undefined): void {
    const id = JSON.stringify([namespace, labels]);
    this.#ids.set(owner, id);
    const known = this.#kinds.get(id);
    if (known) known.count++;
    else {
      this.#kinds.set(id, { labels, namespace, count: 1 });
      this.#count(labels, namespace, 1);
    }
  }

  #remove(owner: object): void {
    const id = this.#ids.get(owner) ?? "";
    const known = this.#kinds.get(id);
    if (!known || --known.count > 0) return;
    this.#kinds.delete(id);
    this.#count(known.labels, known.namespace, -1);
  }

  #count(labels: Labels, namespace: string | undefined, change: number): void {
    const all = Object.entries(labels);
    if (namespace !== undefined && labels[NAMESPACE_LABEL] !== namespace) all.push([NAMESPACE_LABEL, namespace]);
    for (const [key, value] of all) {
      const text = labelText(key, value);
      const count = (this.#byLabel.get(text) ?? 0) + change;
      if (count > 0) this.#byLabel.set(text, count);
      else this.#byLabel.delete(text);
    }
  }
}

const labelText = (key: string, value: string): string => `${key}=${value}`;
