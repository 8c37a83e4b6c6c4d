import { type Event, EventKind, Outcome } from "../../kernel/layout.gen.ts";
import { isSentOn, opened, opensHere } from "../flows/observe.ts";
import type { StagedVerdicts } from "../flows/staged-verdicts.ts";
import { type Flow, type FlowContext, flowOf, isFlow } from "./flow.ts";

export interface NamingParts {
  readonly context: FlowContext;
  readonly staged: Pick<StagedVerdicts, "of">;
}

/** A flow, with the facts that a filter needs besides. */
export interface NamedFlow {
  readonly flow: Flow;
  /** All policies that a refusal is about. */
  readonly policyNames: string | undefined;
}

/** An event as a flow, with the verdicts of staged policies; undefined: it is no flow, or is unwanted, which was clear without a lookup. */
export function namedFlow(
  event: Event,
  { refused }: { readonly refused: boolean },
  parts: NamingParts,
): NamedFlow | undefined {
  if (!isFlow(event) || (refused && event.kind !== EventKind.REFUSED)) return undefined;
  const flow = { ...flowOf(event, parts.context), ...whatStagedSays(event, parts.staged) };
  return { flow, policyNames: policyNames(event, flow, parts.context) };
}

/** For a refusal because no rule allows the flow: all policies without such a rule. The refusal's text names the first few. */
function policyNames({ policy, outcome }: Event, { rule }: Flow, { names }: FlowContext): string | undefined {
  const byPolicy = outcome === Outcome.DROP_POLICY_INGRESS || outcome === Outcome.DROP_POLICY_EGRESS;
  return byPolicy && rule?.startsWith("no rule of ") ? names.policy(policy) : undefined;
}

function whatStagedSays(event: Event, verdicts: NamingParts["staged"]): Pick<Flow, "staged"> {
  if (!opensHere(event) && !isSentOn(event)) return {};
  const { differs, ...staged } = verdicts.of(opened(event)) ?? { differs: false, verdict: "allowed" };
  return differs ? { staged } : {};
}
