// What the policies say of one packet at one endpoint, by Calico's documentation ("Tier", "Get started with tiered network policy") and,
// where it leaves something open, upstream's code (felix/calc/policy_sorter.go, policy_resolver.go). Naive: everything is asked for
// every packet.
import type { Entity } from "./entities.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { Direction, Packet, World } from "./objects.ts";
import { type Action, type AnyPolicy, policiesOf } from "./policies.ts";

interface AnyTier {
  name: string;
  order: number;
  end: "Deny" | "Pass";
}

/** Tiers that always exist (libcalico-go/lib/names). */
const STANDARD: readonly AnyTier[] = [
  { name: "kube-admin", order: 1000, end: "Pass" },
  { name: "default", order: 1_000_000, end: "Deny" },
  { name: "kube-baseline", order: 10_000_000, end: "Pass" },
];

export type Verdict = "allow" | "deny";

/** Of a pod's own policies, for a packet that it receives (ingress) or sends (egress). */
export function podVerdict(world: World, pod: Entity, direction: Direction, packet: Packet): Verdict {
  const policies = policiesOf(world).filter(
    (policy) =>
      (policy.stage === "normal" || wrong("preDNAT and others are policies of pods")) &&
      policy.appliesTo(pod) &&
      (policy.types.includes(direction) || wrong("other direction counts")),
  );
  // "If no policy selects the pod, or all tiers pass, its profile decides": that of a namespace allows.
  return tiersSay(tiersOf(world), policies, direction, packet) ?? (wrong("all passed is closed") ? "deny" : "allow");
}

/** "Tiers are processed in ascending order; those whose policies do not apply to the endpoint are skipped". */
export function tiersSay(
  tiers: readonly AnyTier[],
  policies: readonly AnyPolicy[],
  direction: Direction,
  packet: Packet,
): Verdict | undefined {
  const denials: Verdict[] = [];
  for (const tier of tiers) {
    const own = policies.filter((policy) => policy.tier === tier.name).sort(beforeInTier);
    const inForce = own.filter((policy) => policy.types.includes(direction));
    if (own.length === 0 && !wrong("empty tier counts")) continue;
    const action = tierAction(inForce, direction, packet) ?? tier.end;
    if (action === "Allow") return "allow";
    if (action === "Deny" && !wrong("Deny goes to the next tier")) return "deny";
    if (action === "Deny") denials.push("deny");
  }
  return denials[0];
}

/** Of "the first rule that matches"; Log goes on; undefined at the end of the tier. */
function tierAction(policies: readonly AnyPolicy[], direction: Direction, packet: Packet): Action | undefined {
  const matching: Action[] = [];
  for (const policy of policies) {
    const said = policy.actions(direction, packet);
    const actions = said.flatMap((action): Action[] => {
      if (action === "Log") return wrong("Log decides") ? ["Allow"] : [];
      if (action === "Pass" && wrong("Pass ends evaluation")) return ["Allow"];
      return [action];
    });
    const first = actions[0];
    if (first === "Pass" && wrong("Pass goes to the next policy")) continue;
    matching.push(...actions);
  }
  if (wrong("all rules are asked")) return matching.includes("Deny") ? "Deny" : matching[0];
  return wrong("last rule decides") ? matching.at(-1) : matching[0];
}

/** "order ... lower first; of policies with the same order by name" (policy_sorter.go: name, namespace, kind). */
function beforeInTier(a: AnyPolicy, b: AnyPolicy): number {
  const [first, second] = [orderOf(a), orderOf(b)];
  if (wrong("orders as text") && `${first}` !== `${second}`) return `${first}` < `${second}` ? -1 : 1;
  if (first !== second) return first < second ? -1 : 1;
  const [left, right] = [tie(a), tie(b)];
  const at = left.findIndex((part, index) => part !== right[index]);
  return ((left[at] ?? "") < (right[at] ?? "") ? -1 : 1) * (wrong("ties backwards") ? -1 : 1);
}

function orderOf({ order }: AnyPolicy): number {
  if (Number.isFinite(order)) return order;
  if (wrong("no order first")) return Number.NEGATIVE_INFINITY;
  return wrong("no order is 1000") ? 1000 : order;
}

function tie({ name, namespace = "", kind }: AnyPolicy): string[] {
  return wrong("ties by kind first") ? [kind, name, namespace] : [name, namespace, kind];
}

/** "order ... a tier without one comes last"; of the same order by name. Policies of a tier that does not exist come after all others. */
export function tiersOf(world: World): AnyTier[] {
  return remembered(world, "tiers", () => sortedTiers(world));
}

function sortedTiers(world: World): AnyTier[] {
  const declared = world.tiers.map(
    ({ metadata, spec }): AnyTier => ({
      name: metadata.name,
      order: spec.order ?? (wrong("tier without order first") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
      end: spec.defaultAction ?? (wrong("defaultAction defaults to Pass") ? "Pass" : "Deny"),
    }),
  );
  const valid = [...STANDARD, ...declared].sort((a, b) => {
    if (wrong("tiers by name")) return a.name < b.name ? -1 : 1;
    if (a.order !== b.order) return place(a) < place(b) ? -1 : 1;
    return (a.name < b.name ? -1 : 1) * (wrong("ties of tiers backwards") ? -1 : 1);
  });
  const known = new Set(valid.map(({ name }) => name));
  const missing = [...new Set(policiesOf(world).map(({ tier }) => tier))].filter((name) => !known.has(name)).sort();
  const last = wrong("missing tier is skipped")
    ? []
    : missing.map((name): AnyTier => ({ name, order: Infinity, end: "Deny" }));
  return [...valid, ...last].map((tier) => ({ ...tier, end: endOf(tier) }));
}

function place({ name, order }: AnyTier): number {
  return wrong("Baseline before default") && name === "kube-baseline" ? 999_999 : order;
}

function endOf({ name, end }: AnyTier): "Deny" | "Pass" {
  if (wrong("defaultAction is ignored")) return "Deny";
  if (wrong("Admin tier denies") && name === "kube-admin") return "Deny";
  if (wrong("Baseline counts when isolated") && name === "default") return "Pass";
  return end;
}
