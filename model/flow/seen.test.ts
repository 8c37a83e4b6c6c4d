import { expect, test } from "vitest";
import type { FlowEnd, FlowRecord, IntervalRecord } from "./record.ts";
import { seenFlows } from "./seen.ts";

const web = { kind: "pods", namespace: "shop", workload: "web", labels: { app: "web", tier: "front" } } as const;
const pg = { kind: "pods", namespace: "db", workload: "pg" } as const;

const line = (rest: Partial<FlowRecord>): FlowRecord => ({
  ...{ type: "flow", node: "a", at: "both", from: web, to: pg, protocol: "TCP", port: 5432, verdict: "allowed" },
  ...{ connections: 1, packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:00:10.000Z", ...rest },
});
const counts = (...lines: Partial<FlowRecord>[]) =>
  seenFlows(lines.map(line)).flows.map(({ connections, packetsDenied }) => [connections, packetsDenied]);

test("intervals, and nodes with pods of the same workload, add up", () => {
  expect(counts({ connections: 2 }, { connections: 3 }, { node: "b", connections: 4 })).toEqual([[9, 0]]);
});

test("a flow that two nodes report counts once, as the receiver's node says", () => {
  expect(counts({ at: "source", connections: 5 }, { node: "b", at: "destination", connections: 4 })).toEqual([[4, 0]]);
  expect(counts({ at: "source", connections: 5 })).toEqual([[5, 0]]);
});

test("a flow that the sender's node lets out and the receiver's node denies is not allowed", () => {
  const [flow] = seenFlows([
    line({ at: "source" }),
    line({ node: "b", at: "destination", verdict: "denied", connections: 0, packetsRefused: 3, policy: "deny-db" }),
  ]).flows;
  expect(flow).toMatchObject({ connections: 0, packetsDenied: 3, policies: ["deny-db"] });
});

test("what a node has only sent on counts at the backend's node", () => {
  const sentOn = { at: "transit", node: "b", sentOn: true, connections: 4 } as const;
  expect(counts({ at: "destination", connections: 4 }, sentOn)).toEqual([[4, 0]]);
  expect(counts(sentOn)).toEqual([]);
});

test("a connection that lasts many intervals counts once", () => {
  expect(
    counts({ connections: 0, active: 2 }, { connections: 0, active: 1 }, { node: "b", connections: 0, active: 4 }),
  ).toEqual([[6, 0]]);
});

test("labels tell flows apart, the order of fields does not", () => {
  expect(counts({}, { from: { ...web, labels: { app: "web" } } })).toHaveLength(2);
  expect(counts({}, { from: { labels: web.labels, workload: "web", namespace: "shop", kind: "pods" } })).toHaveLength(
    1,
  );
});

test("what is not named is counted, and refusals without a policy are left out", () => {
  const interval: IntervalRecord = {
    type: "interval",
    ...{ node: "b", from: "2026-11-28T11:00:00.000Z", until: "2026-11-28T13:00:00.000Z" },
    ...{ flows: 1, lostConnections: 9, lostRefusals: 2, summarised: 3, pools: [], unwritten: 0 },
  };
  const seen = seenFlows([
    line({ others: true, to: { kind: "others" }, port: 0 }),
    line({ verdict: "refused", reason: "reject_no_backend" }),
    interval,
  ]);
  expect(seen).toMatchObject({ flows: [], unnamed: 5, nodes: ["a", "b"], until: Date.parse(interval.until) });
});

test("a node's packets to its own pods are no policy's business", () => {
  const node: FlowEnd = { kind: "node", name: "a", addresses: [] };
  const own = (...lines: Partial<FlowRecord>[]) => seenFlows(lines.map(line)).flows.map((one) => one.isOwnNode);
  expect(own({ from: node })).toEqual([true]);
  expect(own({ from: node }, { from: node, node: "b", at: "destination" })).toEqual([false]);
  expect(own({})).toEqual([false]);
});
