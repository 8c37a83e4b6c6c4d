import type { ServerResponse } from "node:http";
import { type Event, EventKind, Outcome } from "../../kernel/layout.gen.ts";
import { opened, opensHere } from "../flows/observe.ts";
import type { StagedVerdicts } from "../flows/staged-verdicts.ts";
import type { EventFeed } from "./feed.ts";
import { type Flow, type FlowContext, flowOf, isFlow } from "./flow.ts";
import { type FilterFacts, type FlowFilter, isRefused } from "./flow-filter.ts";
import { FlowSelection } from "./flow-selection.ts";
import { jsonLines } from "./json-lines.ts";

interface Parts {
  readonly feed: Pick<EventFeed, "listen">;
  readonly context: FlowContext;
  readonly staged: Pick<StagedVerdicts, "of">;
  readonly endpoints: FilterFacts["endpoints"];
}

/** Answers with the flows that a filter lets through, as they happen. What it does not is neither written nor sent anywhere. */
export function streamFlows(response: ServerResponse, filter: FlowFilter, parts: Parts): void {
  const { feed, context, staged, endpoints } = parts;
  const say = jsonLines(response);
  const selection = new FlowSelection(filter, { endpoints });
  const receive = (event: Event) => {
    // Seen to be unwanted before it is named.
    if (!isFlow(event) || (filter.refused && event.kind !== EventKind.REFUSED)) return;
    const flow = { ...flowOf(event, context), ...whatStagedSays(event, staged) };
    const names = filter.policies.length > 0 && isRefused(flow) ? policyNames(event, flow, context) : undefined;
    for (const one of selection.take(flow, names)) say(one);
  };
  response.once("close", feed.listen(receive, { flows: true }));
}

/** Of a refusal because no rule allows it: all policies that have none. Its text names the first few. */
function policyNames({ policy, outcome }: Event, { rule }: Flow, { names }: FlowContext): string | undefined {
  const byPolicy = outcome === Outcome.DROP_POLICY_INGRESS || outcome === Outcome.DROP_POLICY_EGRESS;
  return byPolicy && rule?.startsWith("no rule of ") ? names.policy(policy) : undefined;
}

function whatStagedSays(event: Event, verdicts: Parts["staged"]): Pick<Flow, "staged"> {
  if (!opensHere(event)) return {};
  const { differs, ...staged } = verdicts.of(opened(event)) ?? { differs: false, verdict: "allowed" };
  return differs ? { staged } : {};
}
