import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Flow } from "./flow.ts";
import { FlowHistory, type KeptFlow } from "./flow-history.ts";

const START = Date.parse("2026-01-02T03:00:00Z");
const LIMITS = { bytes: 20_000, perSecond: 10, burst: 1000 };

function flowOf(namespace: string, port: number, at = START, more: Partial<Flow> = {}): Flow {
  return {
    ...{ time: new Date(at).toISOString(), node: "node", protocol: "TCP", verdict: "opened" },
    client: { address: "10.244.0.2", port, name: `pod ${namespace}/web` },
    to: { address: "10.244.0.3", port: 80, name: "pod db/pg" },
    ...more,
  };
}
const portsOf = (kept: readonly KeptFlow[]) => kept.map(({ text }) => (JSON.parse(text) as Flow).client?.port);

describe("the history of flows", () => {
  test("is the latest flows in their order, within its bytes; what is not there any more is counted", () => {
    const namespaces = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 400 });
    fc.assert(
      fc.property(namespaces, (senders) => {
        const history = new FlowHistory(START, LIMITS);
        for (const [port, namespace] of senders.entries()) history.keep(flowOf(namespace, port));
        const flows = history.after(0);
        const ports = portsOf(flows);
        expect(ports).toEqual(ports.toSorted((x = 0, y = 0) => x - y));
        expect(flows.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(LIMITS.bytes);
        const gone = Object.values(history.extent(0).pushedOut).reduce((sum, number) => sum + number, 0);
        expect(ports.length + gone).toBe(senders.length);
        // Of each namespace the latest.
        for (const one of ["a", "b", "c"]) {
          const own = senders.flatMap((namespace, port) => (namespace === one ? [port] : []));
          const kept = own.filter((port) => ports.includes(port));
          expect(kept).toEqual(own.slice(own.length - kept.length));
        }
      }),
    );
  });

  test("a namespace that makes noise pushes out its own flows, and not another's", () => {
    const history = new FlowHistory(START, { ...LIMITS, burst: 100_000 });
    for (let port = 0; port < 10; port++) history.keep(flowOf("quiet", port));
    for (let port = 0; port < 10_000; port++) history.keep(flowOf("noisy", 100 + (port % 1000)));
    expect(portsOf(history.after(0)).slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(Object.keys(history.extent(0).pushedOut)).toEqual(["from noisy"]);
  });

  test("a scan from outside hides neither the connections of a namespace nor those of others from outside", () => {
    const history = new FlowHistory(START, { ...LIMITS, burst: 100_000 });
    const client = { address: "172.31.1.55", port: 1 };
    history.keep(flowOf("db", 7));
    history.keep(flowOf("", 8, START, { client: { ...client, port: 8 } }));
    for (let port = 0; port < 5000; port++)
      history.keep(flowOf("", port, START, { client: { ...client, port: 5000 + port }, verdict: "dropped" }));
    expect(portsOf(history.after(0)).slice(0, 2)).toEqual([7, 8]);
  });

  test("of too many at once some are not kept, of this sender only", () => {
    const history = new FlowHistory(START, { bytes: 1 << 20, perSecond: 10, burst: 20 });
    for (let port = 0; port < 100; port++) history.keep(flowOf("noisy", port));
    history.keep(flowOf("quiet", 200));
    expect(history.after(0)).toHaveLength(21);
    expect(history.extent(0).missed).toBe(80);
    for (let port = 0; port < 100; port++) history.keep(flowOf("noisy", 300 + port, START + 1000));
    expect(history.after(0)).toHaveLength(31);
  });

  test("a time in the past has only its own flows and losses", () => {
    const history = new FlowHistory(START, LIMITS);
    const [early, late] = [START + 1000, START + 600_000];
    for (let port = 0; port < 200; port++) history.keep(flowOf("a", port, early));
    for (let port = 0; port < 10; port++) history.keep(flowOf("a", 1000 + port, late));
    expect(portsOf(history.after(late))).toEqual(Array.from({ length: 10 }, (_, index) => 1000 + index));
    expect(history.extent(late)).toEqual({ since: late, pushedOut: {}, missed: 0 });
    expect(history.extent(START - 1).pushedOut["from a"]).toBeGreaterThan(0);
    expect(history.extent(START - 1).since).toBe(START);
  });

  test("namespaces that are gone leave nothing behind but a number", () => {
    const history = new FlowHistory(START, LIMITS);
    for (let number = 0; number < 1000; number++) history.keep(flowOf(`namespace-${number}`, 1));
    expect(Object.keys(history.extent(0).pushedOut)).toEqual(["others"]);
  });
});
