import { changesBetween } from "../changes.ts";
import type { Pod } from "../objects/core.ts";
import { ownAddresses } from "../objects/pod-of.ts";
import { NAMESPACE_LABEL } from "./calico-labels.ts";
import type { LabelledBlocks } from "./network-sets.ts";
import type { Labels } from "./selector.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** A selector of so many characters costs one comparison more. */
const CHARACTERS = 64;

/** Of one namespace: whoever may write network sets there could make everybody's selectors cost as much as all that a node has room for. Pods need addresses, of
 * which a cluster has as many as its nodes can run. */
const MOST_SETS = 1_024;

interface Kind {
  readonly labels: Labels;
  readonly namespace: string | undefined;
  /** Of a namespace, or undefined. */
  readonly setsOf: string | undefined;
  count: number;
}

/** The sets of labels in a cluster, each once, and how many of them a selector is compared with (selector-index.ts). Comparing costs time, and each
 * selector that means a peer a place in what is known of that peer: the product of both is what policies can make grow. */
export class PeerCounts {
  #pods: readonly Pod[] = [];
  #sets: readonly LabelledBlocks[] = [];
  readonly #ids = new WeakMap<object, string>();
  readonly #kinds = new Map<string, Kind>();
  /** By label, and "" for all. */
  readonly #totals = new Map<string, number>();
  /** The same of the network sets of each namespace, of which a total has at most MOST_SETS. */
  readonly #ofSets = new Map<string, number>();

  /** Only what came or went is counted again. Pods without addresses are no peers. @param sets network sets, and nodes */
  update(pods: readonly Pod[], sets: readonly LabelledBlocks[]): void {
    const ofPods = changesBetween(this.#pods, pods);
    const ofSets = changesBetween(this.#sets, sets);
    [this.#pods, this.#sets] = [pods, sets];
    for (const pod of ofPods.come) {
      const { labels, namespace } = pod.metadata;
      if (ownAddresses(pod).length > 0) this.#add(pod.metadata, labels ?? {}, namespace ?? "default", undefined);
    }
    for (const { who } of ofSets.come) this.#add(who, who.labels, who.namespace, who.namespace);
    for (const { metadata } of ofPods.gone) this.#remove(metadata);
    for (const { who } of ofSets.gone) this.#remove(who);
  }

  /** What one selector costs. */
  comparisons({ text, firstLabel }: Pick<WorkloadSelector, "text" | "firstLabel">): number {
    const peers = this.#totals.get(firstLabel ? labelText(...firstLabel) : "") ?? 0;
    return (1 + Math.floor(text.length / CHARACTERS)) * Math.max(1, peers);
  }

  /** @param owner whose labels they are, which do not change @param setsOf the namespace of a network set */
  #add(owner: object, labels: Labels, namespace: string | undefined, setsOf: string | undefined): void {
    const id = JSON.stringify([namespace, labels, setsOf]);
    this.#ids.set(owner, id);
    const known = this.#kinds.get(id);
    if (known) known.count++;
    else {
      const kind = { labels, namespace, setsOf, count: 1 };
      this.#kinds.set(id, kind);
      this.#count(kind, 1);
    }
  }

  #remove(owner: object): void {
    const id = this.#ids.get(owner) ?? "";
    const known = this.#kinds.get(id);
    if (!known || --known.count > 0) return;
    this.#kinds.delete(id);
    this.#count(known, -1);
  }

  #count({ labels, namespace, setsOf }: Kind, change: 1 | -1): void {
    const all = Object.entries(labels).map(([key, value]) => labelText(key, value));
    if (namespace !== undefined && labels[NAMESPACE_LABEL] !== namespace)
      all.push(labelText(NAMESPACE_LABEL, namespace));
    for (const text of ["", ...all]) {
      if (setsOf !== undefined) {
        const sets = changed(this.#ofSets, `${setsOf} ${text}`, change);
        // Beyond the limit it changes no total.
        if (Math.max(sets, sets - change) > MOST_SETS) continue;
      }
      changed(this.#totals, text, change);
    }
  }
}

function changed(counts: Map<string, number>, key: string, change: number): number {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
  return count;
}

const labelText = (key: string, value: string): string => `${key}=${value}`;
