import { firstFew } from "../first-few.ts";
import { type Tier as TierObject, WELL_KNOWN_TIERS } from "../objects/calico-policy/tier.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import type { Decision, Tier } from "./rules.ts";

/** A tier without its policies. `exists`: it is an object of the cluster, or one that always exists. */
export interface TierHead extends Pick<Tier, "name" | "order" | "otherwise"> {
  readonly exists: boolean;
}
export type TierHeads = ReadonlyMap<string, TierHead>;

/** The tiers that always exist and that no object changes. */
const BUILT_IN = Object.entries(WELL_KNOWN_TIERS).map(([name, { order, defaultAction }]) =>
  headOf(name, order, defaultAction),
);

function headOf(name: string, order: number | undefined, defaultAction: "Deny" | "Pass"): TierHead {
  const otherwise = defaultAction === "Pass" ? "pass" : "deny";
  return { name, order: order ?? Number.POSITIVE_INFINITY, otherwise, exists: true };
}

/** The tiers of a cluster by name. */
export function tierHeads(objects: readonly TierObject[]): TierHeads {
  const declared = objects.map(({ metadata, spec }) => headOf(metadata.name, spec.order, spec.defaultAction));
  return new Map([...declared, ...BUILT_IN].map((head) => [head.name, head]));
}

/** A tier that does not exist comes after all others and refuses at its end, as in Calico. */
function headIn(heads: TierHeads, name: string): TierHead {
  return heads.get(name) ?? { name, order: Number.POSITIVE_INFINITY, otherwise: "deny", exists: false };
}

/** The tiers of one direction of an endpoint, in order. A tier counts only where one of its policies applies.
 * @param policies those that select the endpoint, each tier's in their order
 * @param afterwards what holds after the last tier: undecided, all tiers pass at their ends */
export function tiersOf(
  policies: readonly CompiledPolicy[],
  side: "ingress" | "egress",
  heads: TierHeads,
  { undecided }: Pick<Decision, "undecided"> = {},
): readonly Tier[] {
  const applying = policies.filter((policy) => policy[side]);
  return [...Map.groupBy(applying, ({ tier }) => tier)]
    .map(([name, members]) => ({ head: headIn(heads, name), members }))
    .sort((a, b) => before(a.head, b.head))
    .map(({ head, members }) => ({
      name: head.name,
      order: head.order,
      otherwise: undecided ? "pass" : head.otherwise,
      rules: members.flatMap((policy) => policy[side] ?? []),
      reason: endReason(head, members),
    }));
}

function before(a: TierHead, b: TierHead): number {
  if (a.exists !== b.exists) return a.exists ? -1 : 1;
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/** What the tiers of these policies mean, for the name of what is made of them. */
export function tiersText(policies: readonly CompiledPolicy[], heads: TierHeads): string {
  const used = [...new Set(policies.map(({ tier }) => tier))].map((name) => headIn(heads, name));
  return used.map(({ name, order, otherwise, exists }) => `${name} ${order} ${otherwise} ${exists}`).join();
}

function endReason({ name }: TierHead, members: readonly CompiledPolicy[]): string {
  return `no rule of ${firstFew(members.map(({ owner }) => owner))} allows it (end of tier ${name})`;
}
