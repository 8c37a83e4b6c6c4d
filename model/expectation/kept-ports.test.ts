import { expect, test } from "vitest";
import { parseDestination } from "./destination.ts";
import { heldPorts } from "./kept-ports.ts";

const use = (to: string, sourcePort?: number, keep?: boolean, from = "client1") => ({
  from,
  to: parseDestination(to),
  sourcePort,
  keep,
});

test("a port that is kept open cannot be bound anew, in the same step or later", () => {
  const kept = use("tcp://a:80", 40_001, true);
  expect(heldPorts([[use("tcp://b:80", 40_001), kept], [use("tcp://a:80", 40_001)]])).toEqual([
    { step: 0, index: 0, by: { step: 0, index: 1 } },
    { step: 1, index: 0, by: { step: 0, index: 1 } },
  ]);
});

test("before it is kept, from elsewhere, over another protocol, and kept again it can", () => {
  const kept = use("tcp://a:80", 40_001, true);
  const others = [use("udp://a:80", 40_001), use("tcp://a:80", 40_001, false, "client2"), use("tcp://a:80"), kept];
  expect(heldPorts([[use("tcp://a:80", 40_001)], [kept], others])).toEqual([]);
});
