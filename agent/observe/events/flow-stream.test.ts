import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { afterEach, expect, test } from "vitest";
import { firstFew } from "../../../model/first-few.ts";
import { defaultKey, NO_NAMES } from "../../compile/desired.ts";
import { Direction, type Event, EventKind, Outcome } from "../../kernel/layout.gen.ts";
import { eventAt, names, state } from "./audited-pod.fixture.ts";
import type { Flow } from "./flow.ts";
import { EVERYTHING, type FlowFilter } from "./flow-filter.ts";
import type { FlowHistory } from "./flow-history.ts";
import { type FlowLine, NoHistory, streamFlows } from "./flow-stream.ts";
import { keepHistory } from "./keep-history.ts";
import { Names } from "./names.ts";

const context = { node: "node", names, contents: () => state.contents, wallClock: () => Date.now() };
const staged = { of: () => undefined };
const listeners = new Set<(event: Event) => void>();
const feed = {
  listen: (receive: (event: Event) => void) => {
    listeners.add(receive);
    return () => void listeners.delete(receive);
  },
};
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A connection from this port opens. */
function open(sourcePort: number, kind: number = EventKind.OPENED, more: Partial<Event> = {}): void {
  const event = eventAt(5432, kind);
  const one = { ...event, ...more, packet: { ...event.packet, sourcePort } } as Event;
  for (const receive of listeners) receive(one);
}

/** Reads what a request gets, as it comes. */
async function reading(filter: FlowFilter, since: number | undefined, history: () => FlowHistory | undefined) {
  const server = createServer((_, response) =>
    streamFlows(response, filter, since, { feed, context, staged, endpoints: () => new Set(), history }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = new AbortController();
  ends.push(() => {
    stop.abort();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  // The answer begins when somebody listens.
  const { body } = await fetch(`http://127.0.0.1:${port}`, { signal: stop.signal });
  const lines: FlowLine[] = [];
  const input = createInterface(Readable.fromWeb(body as ReadableStream));
  input.on("line", (line) => lines.push(JSON.parse(line))).on("error", () => {});
  return {
    lines,
    until: async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}
const isFlow = (line: FlowLine): line is Flow => "verdict" in line;
const portsOf = (lines: readonly FlowLine[]) => lines.filter(isFlow).map(({ client }) => client?.port);

test("a past and what happens while it is read come once, in their order", async () => {
  const { history, end } = keepHistory({ feed, context, staged, isWanted: () => true });
  ends.push(end);
  for (let port = 1; port <= 900; port++) open(port);
  const reader = await reading(EVERYTHING, 0, history);
  for (let port = 901; port <= 950; port++) open(port);
  await reader.until(() => portsOf(reader.lines).includes(950));
  for (let port = 951; port <= 960; port++) open(port);
  await reader.until(() => portsOf(reader.lines).includes(960));
  expect(portsOf(reader.lines)).toEqual(Array.from({ length: 960 }, (_, index) => index + 1));
  const told = reader.lines.findIndex((line) => "history" in line);
  expect(portsOf(reader.lines.slice(0, told))).toHaveLength(900);
  expect(reader.lines[told]).toMatchObject({ history: { node: "node", pushedOut: {}, missed: 0 } });
});

test("without a past only what happens now is told; the filter holds for both", async () => {
  const { history, end } = keepHistory({ feed, context, staged, isWanted: () => true });
  ends.push(end);
  const { policy } = eventAt(22, EventKind.REFUSED);
  const refusal = { policy, rule: 0, direction: Direction.INGRESS, outcome: Outcome.DROP_POLICY_INGRESS };
  open(1);
  open(2, EventKind.REFUSED, refusal);
  const refused = { ...EVERYTHING, refused: true, policies: ["default/open"] };
  const now = await reading(EVERYTHING, undefined, history);
  const past = await reading(refused, 0, history);
  open(3);
  open(4, EventKind.REFUSED, refusal);
  for (const reader of [now, past]) await reader.until(() => portsOf(reader.lines).includes(4));
  expect(portsOf(now.lines)).toEqual([3, 4]);
  expect(portsOf(past.lines)).toEqual([2, 4]);
});

test("a policy that a refusal's text does not name any more selects it, also in the past", async () => {
  const { policy } = eventAt(22, EventKind.REFUSED);
  const refusal = { policy, rule: 0, direction: Direction.INGRESS, outcome: Outcome.DROP_POLICY_INGRESS };
  const all = ["a", "b", "c", "d", "e"].map((name) => `NetworkPolicy shop/${name}`);
  const text = `no rule of ${firstFew(all)} allows it (end of tier default)`;
  const many = {
    ...{ ...NO_NAMES, policies: new Map([[policy, all.join(", ")]]) },
    defaults: new Map([[defaultKey(policy, Direction.INGRESS), text]]),
  };
  const objects = { nodes: [], pods: [], services: [] };
  const named = new Names(
    () => objects,
    () => many,
  );
  const { history, end } = keepHistory({ feed, context: { ...context, names: named }, staged, isWanted: () => true });
  ends.push(end);
  open(1, EventKind.REFUSED, refusal);
  const ofE = await reading({ ...EVERYTHING, policies: ["shop/e"] }, 0, history);
  const ofF = await reading({ ...EVERYTHING, policies: ["shop/f"] }, 0, history);
  for (const { until, lines } of [ofE, ofF]) await until(() => lines.some((line) => "history" in line));
  expect([portsOf(ofE.lines), portsOf(ofF.lines)]).toEqual([[1], []]);
});

test("nothing is kept while nobody wants it, and a reader of the past is told so", () => {
  const before = listeners.size;
  const { history, end } = keepHistory({ feed, context, staged, isWanted: () => false });
  ends.push(end);
  expect(listeners.size).toBe(before);
  const parts = { feed, context, staged, endpoints: () => new Set<string>(), history };
  expect(() => streamFlows({} as never, EVERYTHING, 0, parts)).toThrow(NoHistory);
});
