// What all policies of a node share, and how much of it each takes: if they take too much together, those are closed that take most.
import { heaviestFirst } from "../heaviest-first.ts";
import { each, type Steps } from "../steps.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { blocksOf, entriesOf } from "./limits.ts";
import type { PeerCounts } from "./peer-counts.ts";
import { SelectorIndex } from "./selector-index.ts";
import type { Labelled } from "./vocabulary.ts";

/** entries: of the map `policies`. blocks: of addresses that they tell from others. comparisons: of selectors with the labels of peers. */
export type Shared = "entries" | "blocks" | "comparisons";

/** Policies that are closed because all together take too much of something: how many, those that take most of it, and why. */
export interface Excess {
  readonly of: Shared;
  readonly count: number;
  readonly why: string;
  /** What their owners can do. */
  readonly next: string;
}

/** The order in which policies are closed. */
export function* closingOrder(
  policies: readonly CompiledPolicy[],
  of: Shared,
  labelled: Labelled,
  peers: PeerCounts,
): Steps<CompiledPolicy[]> {
  const weightOf = yield* weights(policies, of, labelled, peers);
  const weighed = policies.map((policy) => {
    const { namespace = "", owner } = policy;
    return { policy, namespace, owner, weight: weightOf(policy) };
  });
  return heaviestFirst(weighed).map(({ policy }) => policy);
}

function* weights(
  policies: readonly CompiledPolicy[],
  of: Shared,
  labelled: Labelled,
  peers: PeerCounts,
): Steps<(policy: CompiledPolicy) => number> {
  if (of === "entries") return entriesOf;
  if (of === "blocks") return yield* blockWeights(policies, labelled);
  return ({ selectors, ownSelectors }) =>
    [...selectors, ...ownSelectors.values()].reduce((sum, selector) => sum + peers.comparisons(selector), 0);
}

/** Those that its rules name, and those of the network sets and Services that they mean. */
function* blockWeights(
  policies: readonly CompiledPolicy[],
  { sets, services }: Labelled,
): Steps<(policy: CompiledPolicy) => number> {
  const selectors = new Map(policies.flatMap((policy) => policy.selectors.map((one) => [one.text, one] as const)));
  const index = new SelectorIndex(selectors.values(), (selector) => selector);
  const meant = new Map<string, number>();
  yield* each(
    sets,
    ({ who, cidrs }) => {
      for (const { text } of index.of(who)) meant.set(text, (meant.get(text) ?? 0) + cidrs.length);
    },
    16,
  );
  const ofService = (name: string) => services(name).reduce((sum, { addresses }) => sum + addresses.length, 0);
  return (policy) =>
    [
      blocksOf(policy),
      ...policy.selectors.map(({ text }) => meant.get(text) ?? 0),
      ...policy.services.map(ofService),
    ].reduce((sum, count) => sum + count, 0);
}
