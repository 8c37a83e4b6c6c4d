import { expect, test } from "vitest";
import { readFlowLog } from "./read.ts";

const interval = JSON.stringify({
  ...{ type: "interval", node: "a", from: "2026-11-28T12:00:00.000Z", until: "2026-11-28T12:05:00.000Z" },
  ...{ flows: 0, lostConnections: 0, lostRefusals: 0, summarised: 0, pools: [], unwritten: 0 },
});

test("lines that cannot be read are counted", () => {
  expect(readFlowLog(`${interval}\n{"type":"new"}\n\n${interval.slice(0, 20)}`)).toMatchObject({
    lines: [{ type: "interval" }],
    unreadable: 2,
  });
});

test("a text that is not a flow log is refused", () => {
  expect(() => readFlowLog("")).toThrow("it is empty");
  expect(() => readFlowLog('{"time":"x"}')).toThrow("no line of a flow log");
});
