import { type Address, canonicalAddress } from "../address/address.ts";
import { Latest } from "../memo.ts";
import { hasEnded, type Pod } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { WEIGHT, weightIn } from "../objects/weight.ts";

// How much of a Service's new connections a pod gets, in relation to the others: by an annotation of the pod.

/** The weights that pods were given, by address. Whoever has none weighs 1. */
export type Weights = ReadonlyMap<Address, number>;

export const NO_WEIGHTS: Weights = new Map();

/** The weights of all pods, as the same object as long as they are the same. */
export class PodWeights {
  readonly #ofPods = new Latest<Weights>();
  #last = NO_WEIGHTS;

  of(pods: readonly Pod[]): Weights {
    const now = this.#ofPods.get([pods], () => weightsOf(pods));
    if (now !== this.#last && changesOf(this.#last, now).size > 0) this.#last = now;
    return this.#last;
  }
}

function weightsOf(pods: readonly Pod[]): Weights {
  const found = new Map<Address, number>();
  for (const pod of pods) {
    const weight = weightIn(pod.metadata.annotations?.[WEIGHT]);
    // An address of a node is that of all pods in its network; one of a pod that has ended may be another pod's.
    if (weight === undefined || pod.spec.hostNetwork || hasEnded(pod)) continue;
    for (const { ip } of pod.status.podIPs) {
      const address = canonicalAddress(ip);
      if (address) found.set(address, weight);
    }
  }
  return found.size > 0 ? found : NO_WEIGHTS;
}

/** Addresses whose weights differ. */
export function changesOf(before: Weights, after: Weights): ReadonlySet<Address> {
  const changed = new Set<Address>();
  if (before === after) return changed;
  for (const [address, weight] of before) if (after.get(address) !== weight) changed.add(address);
  for (const address of after.keys()) if (!before.has(address)) changed.add(address);
  return changed;
}

/** The weights of those addresses that the slices have. */
export function weightsIn(slices: readonly EndpointSlice[], all: Weights): Weights {
  if (all.size === 0) return NO_WEIGHTS;
  const found = new Map<Address, number>();
  for (const address of slices.flatMap(addressesIn)) {
    const weight = all.get(address);
    if (weight !== undefined) found.set(address, weight);
  }
  return found.size > 0 ? found : NO_WEIGHTS;
}

/** How many places the endpoints of the slices have, in one list, beside one for each. */
export function repeatsIn(slices: readonly EndpointSlice[], weights: Weights): number {
  const places = placesOf(slices.flatMap(addressesIn).map((address) => weights.get(address) ?? 1));
  return places.reduce((sum, times) => sum + times - 1, 0);
}

export function addressesIn({ endpoints }: EndpointSlice): readonly Address[] {
  return endpoints.flatMap(({ addresses: [text = ""] }) => canonicalAddress(text) ?? []);
}

/** Those that may be given new connections: a weight of 0 says that others are to have them, so it means nothing where all have it. */
export function weighty<T extends { readonly weight: number }>(backends: readonly T[]): readonly T[] {
  const some = backends.filter(({ weight }) => weight > 0);
  return some.length > 0 ? some : backends;
}

/** How often each stands in a list of which any place is as likely as the others. In the relation of their weights, exactly while that
 * takes at most 8 places for each and 1,000 more, else rounded to that, and at least once. */
export function placesOf(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(greatestDivisor, 0) || 1;
  const sum = weights.reduce((total, weight) => total + weight, 0) / divisor;
  const scale = Math.min(1, (PLACES_EACH * weights.length + MORE_PLACES) / sum) / divisor;
  return weights.map((weight) => Math.max(1, Math.round(weight * scale)));
}

const [PLACES_EACH, MORE_PLACES] = [8, 1_000];

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
