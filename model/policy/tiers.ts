import { type CompiledPolicy, DEFAULT_TIER } from "./compiled-policy.ts";
import type { Tier } from "./rules.ts";

/** A tier without its policies. */
export type TierHead = Pick<Tier, "name" | "order" | "otherwise">;

/** The tiers that always exist, whatever the cluster's objects say. */
const BUILT_IN: ReadonlyMap<string, TierHead> = new Map(
  [{ name: DEFAULT_TIER, order: 1_000_000, otherwise: "deny" } as const].map((tier) => [tier.name, tier]),
);

/** The tiers of one direction of an endpoint, in order. A tier counts only where one of its policies applies; undefined: none does.
 * @param policies those that select the endpoint, in the order of their tiers */
export function tiersOf(policies: readonly CompiledPolicy[], side: "ingress" | "egress"): readonly Tier[] | undefined {
  const applying = policies.filter((policy) => policy[side]);
  if (applying.length === 0) return undefined;
  const byTier = Map.groupBy(applying, ({ tier }) => tier);
  return [...byTier]
    .flatMap(([name, members]): Tier[] => {
      const head = BUILT_IN.get(name);
      if (!head) return [];
      const rules = members.flatMap((policy) => policy[side] ?? []);
      return [{ ...head, rules, reason: endReason(head, members) }];
    })
    .sort((a, b) => (a.order === b.order ? (a.name < b.name ? -1 : 1) : a.order - b.order));
}

const MOST_NAMED = 3;

function endReason({ name }: TierHead, members: readonly CompiledPolicy[]): string {
  const owners = members.slice(0, MOST_NAMED).map(({ owner }) => owner);
  const more = members.length > MOST_NAMED ? ` and ${members.length - MOST_NAMED} more` : "";
  return `no rule of ${owners.join(", ")}${more} allows it (end of tier ${name})`;
}
