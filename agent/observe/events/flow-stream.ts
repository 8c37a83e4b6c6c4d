import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { type Event, Outcome } from "../../kernel/layout.gen.ts";
import type { EventFeed } from "./feed.ts";
import type { Flow, FlowContext } from "./flow.ts";
import type { FilterFacts, FlowFilter } from "./flow-filter.ts";
import type { FlowHistory, HistoryExtent } from "./flow-history.ts";
import { FlowSelection } from "./flow-selection.ts";
import { jsonLines } from "./json-lines.ts";
import { type NamingParts, namedFlow } from "./named-flow.ts";

interface Parts extends NamingParts {
  readonly feed: Pick<EventFeed, "listen">;
  readonly endpoints: FilterFacts["endpoints"];
  /** Undefined: none is kept. */
  readonly history: () => FlowHistory | undefined;
}

/** After the flows of the past: what of it is not there. */
export interface HistoryLine {
  readonly history: HistoryExtent & { readonly node: string };
}

/** In place of flows that a slow reader, or one of a long past, did not get. */
export interface LostLine {
  readonly lost: { readonly node: string; readonly flows: number };
}

export type FlowLine = Flow | HistoryLine | LostLine;

/** Live flows that wait until the past is written. */
const MOST_WAITING = 10_000;
/** Flows of the past that are read and written in one go. */
const PORTION = 200;

/** No agent can tell of a past that it does not keep. */
export class NoHistory extends Error {}

/** Answers with the flows that a filter lets through: those since a time, if one is given, then those that happen. What the filter does not let
 * through is neither written nor sent anywhere. @param since milliseconds since 1970 @throws NoHistory */
export function streamFlows(
  response: ServerResponse,
  filter: FlowFilter,
  since: number | undefined,
  parts: Parts,
): void {
  const { feed, context, endpoints } = parts;
  const past = since === undefined ? undefined : pastOf(parts.history(), since);
  const selection = new FlowSelection(filter, { endpoints });
  const lost = (flows: number): LostLine => ({ lost: { node: context.node, flows } });
  const say = jsonLines(response, lost);
  const tell = ({ flow, names }: Named) => {
    for (const one of selection.take(flow, names)) say(one);
  };
  // Nothing happens between the look at the past and this: no flow is in both, and none in neither.
  const waiting = past && new Waiting();
  let receive: (named: Named) => void = waiting ? (named) => waiting.add(named) : tell;
  const end = feed.listen(
    (event) => {
      const flow = namedFlow(event, filter, parts);
      if (flow) receive({ flow, names: filter.policies.length > 0 ? policyNames(event, flow, context) : undefined });
    },
    { flows: true },
  );
  response.once("close", end);
  if (!past || !waiting) return;
  void writePast(response, past.texts, selection).then((whole) => {
    if (!whole) return;
    say({ history: { node: context.node, ...past.extent } } satisfies HistoryLine);
    if (waiting.lost > 0) say(lost(waiting.lost));
    for (const one of waiting.all) tell(one);
    receive = tell;
  });
}

function pastOf(history: FlowHistory | undefined, since: number) {
  if (!history)
    throw new NoHistory(
      "no history is kept on this node. Next: switch it on with flowLog of the Dataplane, or flowLogsLocalReporter: Enabled in the " +
        "FelixConfiguration default; or ask without --since.",
    );
  return { texts: history.after(since), extent: history.extent(since) };
}

/** @returns false if the reader went away */
async function writePast(
  response: ServerResponse,
  texts: readonly string[],
  selection: FlowSelection,
): Promise<boolean> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    for (let index = 0; index < texts.length && !gone.signal.aborted; index += PORTION) {
      const flows = texts.slice(index, index + PORTION).flatMap((text) => selection.take(JSON.parse(text) as Flow));
      const written = response.write(flows.map((flow) => `${JSON.stringify(flow)}\n`).join(""));
      await (written ? turn() : once(response, "drain", { signal: gone.signal }));
    }
  } catch {
    return false;
  }
  return !gone.signal.aborted;
}

interface Named {
  readonly flow: Flow;
  /** All policies that a refusal is about, where the filter asks for policies. */
  readonly names: string | undefined;
}

class Waiting {
  readonly all: Named[] = [];
  lost = 0;

  add(named: Named): void {
    if (this.all.length < MOST_WAITING) this.all.push(named);
    else this.lost++;
  }
}

/** Of a refusal because no rule allows it: all policies that have none. Its text names the first few. */
function policyNames({ policy, outcome }: Event, { rule }: Flow, { names }: FlowContext): string | undefined {
  const byPolicy = outcome === Outcome.DROP_POLICY_INGRESS || outcome === Outcome.DROP_POLICY_EGRESS;
  return byPolicy && rule?.startsWith("no rule of ") ? names.policy(policy) : undefined;
}
