import type { Problem } from "../problem.ts";
import type { Rule } from "./rules.ts";
import type { WorkloadSelector } from "./workload-selector.ts";

/** The tier that policies are in which name none. */
export const DEFAULT_TIER = "default";

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
  readonly subject: WorkloadSelector;
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  /** Those that its rules refer to. */
  readonly selectors: readonly WorkloadSelector[];
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

/** What the rules say, in one text: reasons follow from it and from the policy's name. */
export function rulesText(rules: Pick<CompiledPolicy, "ingress" | "egress">): string {
  const said = (list: readonly Rule[] | undefined) => list?.map(({ reason: _, ...rest }) => rest);
  return JSON.stringify([said(rules.ingress), said(rules.egress)]);
}
