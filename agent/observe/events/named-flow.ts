import { type Event, EventKind } from "../../kernel/layout.gen.ts";
import { opened, opensHere } from "../flows/observe.ts";
import type { StagedVerdicts } from "../flows/staged-verdicts.ts";
import { type Flow, type FlowContext, flowOf, isFlow } from "./flow.ts";

export interface NamingParts {
  readonly context: FlowContext;
  readonly staged: Pick<StagedVerdicts, "of">;
}

/** An event as a flow, with what staged policies say; undefined if it is none, or is seen to be unwanted before anything is looked up. */
export function namedFlow(
  event: Event,
  { refused }: { readonly refused: boolean },
  parts: NamingParts,
): Flow | undefined {
  if (!isFlow(event) || (refused && event.kind !== EventKind.REFUSED)) return undefined;
  return { ...flowOf(event, parts.context), ...whatStagedSays(event, parts.staged) };
}

function whatStagedSays(event: Event, verdicts: NamingParts["staged"]): Pick<Flow, "staged"> {
  if (!opensHere(event)) return {};
  const { differs, ...staged } = verdicts.of(opened(event)) ?? { differs: false, verdict: "allowed" };
  return differs ? { staged } : {};
}
