import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { budgeted, budgetOf, timeReport } from "./test-budget.ts";

const listed = (pattern: string): string[] => {
  const options = { cwd: join(import.meta.dirname, ".."), encoding: "utf8" } as const;
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", pattern], options)
    .trim()
    .split("\n");
};

test("every suite that needs this kernel or a cluster has a budget, and so may other test files", () => {
  expect(listed("*.system.test.ts").filter((suite) => budgetOf(suite) === undefined)).toEqual([]);
  const tests = new Set(listed("*.test.ts"));
  expect(budgeted.filter((path) => !tests.has(path))).toEqual([]);
});

test("a run's report names the slowest ten, and those that took more than twice their budget", () => {
  const [path] = budgeted as [string];
  const budget = budgetOf(path) as number;
  const units = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`unit-${index}.test.ts`, index]));
  const lines = timeReport({ ...units, [path]: 3 * budget }).split("\n");
  expect(lines.slice(0, 2)).toEqual([
    "The slowest test files:",
    `${String(3 * budget).padStart(5)} s  ${path} (budget ${budget} s)`,
  ]);
  expect(lines.findIndex((line) => line.startsWith("More than 2 times"))).toBe(11);
  expect(timeReport({ [path]: 2 * budget })).not.toContain("More than");
});
