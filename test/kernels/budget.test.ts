import { expect, test } from "vitest";
import { overBudget, readBudget, STACK_LIMIT, versionOf } from "./budget.ts";

const budget = { uplink: { from_uplink: { instructions: 1000, stack: 320 } } };
const costs = (instructions: number, stack: number) => ({ uplink: { from_uplink: { instructions, stack } } });

test("overBudget() lets a program grow by 5 %, and no more", () => {
  expect(overBudget(costs(1050, STACK_LIMIT), budget)).toEqual([]);
  expect(overBudget(costs(1051, STACK_LIMIT), budget)).toEqual([
    "from_uplink of uplink.bpf.o costs the verifier 1051 instructions; the budget is 1050 (1000 and 5 %)",
  ]);
});

test("overBudget() allows no more stack than the limit, regardless of the budget", () => {
  expect(overBudget(costs(1000, STACK_LIMIT + 32), budget)).toEqual([
    `from_uplink of uplink.bpf.o takes ${STACK_LIMIT + 32} bytes of stack; at most ${STACK_LIMIT} are allowed`,
  ]);
});

test("overBudget() reports a program that is missing in the budget", () => {
  expect(overBudget({ uplink: { to_uplink: { instructions: 1, stack: 32 } } }, budget)).toEqual([
    "to_uplink of uplink.bpf.o is not in the budget",
  ]);
});

test("versionOf() shortens a release", () => {
  expect(versionOf("6.1.0-48-amd64")).toBe("6.1");
});

test("the budget has Debian's kernel, where every program's stack is within the limit", () => {
  const programs = Object.values(readBudget()["6.1"] ?? {}).flatMap((object) => Object.values(object));
  expect(programs.length).toBeGreaterThan(10);
  for (const { stack } of programs) expect(stack).toBeLessThanOrEqual(STACK_LIMIT);
});
