import type { Problem } from "../problem.ts";
import type { PeerMatch, Rule } from "./rules.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** The tier that policies are in which name none. */
export const DEFAULT_TIER = "default";

/** A rule with its conditions on the endpoint itself: they are evaluated when policies are selected (own-side.ts). */
export interface PolicyRule extends Rule {
  /** Absent: of every endpoint that the policy selects. */
  readonly here?: PeerMatch;
}

/** When a policy is asked. Pods have only "normal" policies. Host endpoints also have policies that are asked before a destination is
 * translated and before connections are looked up. */
export type Stage = "normal" | "preDNAT" | "doNotTrack";

/** One policy as ordered rules; a direction it does not isolate is absent. */
export interface CompiledPolicy {
  readonly kind: string;
  /** "NetworkPolicy default/nginx" */
  readonly owner: string;
  /** Absent: it belongs to no namespace. */
  readonly namespace?: string;
  readonly name: string;
  /** Name of its tier. */
  readonly tier: string;
  /** Within its tier: ascending, Infinity last. Of two alike the one whose `rank` sorts first is asked first. */
  readonly order: number;
  readonly rank: string;
  readonly stage: Stage;
  /** Host endpoints ask it about forwarded traffic too. */
  readonly applyOnForward: boolean;
  /** Calico asks what pods send to their own node too; Kubernetes always allows it. */
  readonly isAskedOfNode?: true;
  readonly subject: WorkloadSelector;
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
  /** The selectors that its rules apply to peers. */
  readonly selectors: readonly WorkloadSelector[];
  /** The selectors that its rules apply to the endpoint itself, by text. */
  readonly ownSelectors: ReadonlyMap<string, WorkloadSelector>;
  /** The Services whose endpoints its rules mean: "shop/web". */
  readonly services: readonly string[];
  /** The rules, in one text per meaning. */
  readonly text: string;
  /** It is too large to be in force (limits.ts). */
  readonly closed: boolean;
  readonly problems: readonly Problem[];
}

/** The order of policies in a tier. */
export function beforeInTier(a: CompiledPolicy, b: CompiledPolicy): number {
  if (a.order !== b.order) return a.order < b.order ? -1 : 1;
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.owner < b.owner ? -1 : 1;
}

/** The meaning of the rules, as one text: reasons follow from it and from the policy's name. */
export function rulesText(rules: Pick<CompiledPolicy, "ingress" | "egress">): string {
  const said = (list: readonly Rule[] | undefined) => list?.map(({ reason: _, ...rest }) => rest);
  return JSON.stringify([said(rules.ingress), said(rules.egress)]);
}
