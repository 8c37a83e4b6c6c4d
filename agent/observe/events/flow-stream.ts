import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import type { EventFeed } from "./feed.ts";
import type { Flow } from "./flow.ts";
import type { FilterFacts, FlowFilter } from "./flow-filter.ts";
import type { FlowHistory, HistoryExtent, KeptFlow } from "./flow-history.ts";
import { FlowSelection } from "./flow-selection.ts";
import { jsonLines } from "./json-lines.ts";
import { type NamedFlow, type NamingParts, namedFlow } from "./named-flow.ts";

interface Parts extends NamingParts {
  readonly feed: Pick<EventFeed, "listen">;
  readonly endpoints: FilterFacts["endpoints"];
  /** Undefined: none is kept. */
  readonly history: () => FlowHistory | undefined;
}

/** Sent after the flows of the past: which part of the past is missing. */
export interface HistoryLine {
  readonly history: HistoryExtent & { readonly node: string };
}

/** Sent in place of flows that a slow reader, or a reader of a long past, did not get. */
export interface LostLine {
  readonly lost: { readonly node: string; readonly flows: number };
}

export type FlowLine = Flow | HistoryLine | LostLine;

/** Live flows that wait until the past is written. */
const MOST_WAITING = 10_000;
/** Flows of the past that are read and written in one go. */
const PORTION = 200;

/** The agent keeps no history, so it cannot send one. */
export class NoHistory extends Error {}

/** Answers with the flows that a filter selects: first those since a time, if one is given, then live ones. Other flows are neither
 * written nor sent. @param since milliseconds since 1970 @throws NoHistory */
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
  const tell = ({ flow, policyNames }: NamedFlow) => {
    for (const one of selection.take(flow, policyNames)) say(one);
  };
  // Nothing happens between the read of the history and this line: so no flow is sent twice, and none is missed.
  const waiting = past && new Waiting();
  let receive: (named: NamedFlow) => void = waiting ? (named) => waiting.add(named) : tell;
  const end = feed.listen(
    (event) => {
      const named = namedFlow(event, filter, parts);
      if (named) receive(named);
    },
    { flows: true },
  );
  response.once("close", end);
  if (!past || !waiting) return;
  void writePast(response, past.flows, selection).then((whole) => {
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
      "no history is kept on this node. Next: switch it on with flowLogsLocalReporter: Enabled or a flowLog of the Dataplane, or with " +
        "flowLogsLocalReporter: Enabled in the FelixConfiguration default; or ask without --since.",
    );
  return { flows: history.after(since), extent: history.extent(since) };
}

/** @returns false if the reader went away */
async function writePast(
  response: ServerResponse,
  kept: readonly KeptFlow[],
  selection: FlowSelection,
): Promise<boolean> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    for (let index = 0; index < kept.length && !gone.signal.aborted; index += PORTION) {
      const portion = kept.slice(index, index + PORTION);
      const flows = portion.flatMap(({ text, policyNames }) => selection.take(JSON.parse(text) as Flow, policyNames));
      const written = response.write(flows.map((flow) => `${JSON.stringify(flow)}\n`).join(""));
      await (written ? turn() : once(response, "drain", { signal: gone.signal }));
    }
  } catch {
    return false;
  }
  return !gone.signal.aborted;
}

class Waiting {
  readonly all: NamedFlow[] = [];
  lost = 0;

  add(named: NamedFlow): void {
    if (this.all.length < MOST_WAITING) this.all.push(named);
    else this.lost++;
  }
}
