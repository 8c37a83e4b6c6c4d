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

test("what a log quotes of a policy is no command for the terminal", () => {
  const flow = JSON.stringify({
    ...{
      type: "flow",
      node: "a",
      at: "both",
      protocol: "TCP",
      port: 80,
      verdict: "denied",
      reason: "drop_policy_ingress",
    },
    ...{ from: { kind: "network", cidr: "192.0.2.1/32" }, to: { kind: "node", name: "a", addresses: [] } },
    ...{ policy: "rule \u001b[2J\u202e", connections: 0, packetsRefused: 1, active: 0, packets: 0 },
    ...{ first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:05:00.000Z" },
  });
  expect(readFlowLog(flow).lines).toMatchObject([{ policy: "rule \ufffd[2J\ufffd" }]);
});
