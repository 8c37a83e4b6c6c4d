import { expect, test } from "vitest";
import { readFlowLine } from "./read-flow-line.ts";

const to = { address: "10.96.0.9", port: 80, name: "service shop/web:http" };
const flow = { time: "2026-11-29T12:00:00.000Z", node: "master", protocol: "TCP", verdict: "opened", to };
const client = { address: "10.244.1.2", port: 40_001 };

test.each([
  flow,
  {
    ...flow,
    client,
    staged: { verdict: "denied", reason: "shop/web" },
    socket: true,
    later: "a field of a later version",
  },
  { history: { node: "master", since: 0, missed: 1, pushedOut: { "from shop": 2 } } },
  { lost: { node: "master", flows: 3 } },
])("a line of an agent is read as it is: %j", (line) => {
  expect(readFlowLine(line, "master")).toEqual(line);
});

test.each([
  flow,
  { history: { node: "master", since: 0, missed: 1, pushedOut: {} } },
  { lost: { node: "master", flows: 3 } },
])("no node speaks for another: %j", (line) => {
  const said = JSON.parse(JSON.stringify(line).replace('"master"', '"worker1"'));
  expect(readFlowLine(line, "worker1")).toEqual(said);
});

test.each([
  null,
  5,
  {},
  { ...flow, time: "never" },
  { ...flow, time: 5 },
  { ...flow, to: undefined },
  { ...flow, client: "10.244.1.2" },
  { ...flow, rule: 5 },
  { history: { node: "master", since: 0, missed: 1, pushedOut: null } },
  { history: { node: "master", since: 1e300, missed: 1, pushedOut: {} } },
  { history: { node: "master", since: -1e300, missed: 1, pushedOut: {} } },
  { lost: null },
])("a line that is no flow is refused: %j", (line) => {
  expect(() => readFlowLine(line, "master")).toThrow("no flow");
});
