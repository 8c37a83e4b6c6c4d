import pc from "picocolors";
import { expect, test } from "vitest";
import type { Row } from "../../report/results/verification.ts";
import { fixtureOccasion } from "../engine/world.fixture.ts";
import type { CheckCounts } from "./run.ts";
import { summarise } from "./summary.ts";
import { countsInWords, renderTable } from "./table.ts";

const row: Row = {
  from: "pod/dataplane-check-other/visitor",
  to: "tcp://service/dataplane-check/guarded-by-a-policy-with-a-long-name:80",
  expected: "allowed from pod/dataplane-check-other/visitor by dataplane-check/app=web, over IPv6, 20 attempts",
  observed: "allowed from fd00:10:244::1234:5678:9abc:def0 by dataplane-check/far, over IPv6, 20 attempts",
  pass: true,
  step: "cluster: a name of a step that is so long that no terminal of eighty columns has room for all of it in a line",
};
const result = summarise({
  verified: fixtureOccasion,
  rows: [row, { ...row, pass: false }],
  skipped: [{ step: "cluster: NodePort", what: "node ports from outside", why: "no machine is known" }],
  problems: [],
});
const tableOf = (columns?: number) =>
  renderTable(result, pc.createColors(false), { columns })
    .split("\n")
    .filter((line) => /^[│├┌└]/.test(line));

test.each([80, 120, 200])("the table fits %i columns, and loses no character", (columns) => {
  const lines = tableOf(columns);
  expect(lines.length).toBeGreaterThan(5);
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines[0]?.length).toBeLessThanOrEqual(columns);
  const cells = lines
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const columnOf = (index: number) =>
    cells
      .filter(({ length }) => length === 5)
      .map((line) => line[index] ?? "")
      .join("");
  expect(columnOf(2)).toContain(row.to);
  expect(columnOf(4).replaceAll(" ", "")).toContain(row.observed.replaceAll(" ", ""));
});

test("in brief each check has a line, and of its rows only those that do not hold are told", () => {
  const counts = [{ name: "terminating endpoints", passed: 1, failed: 1, undecided: 0, seconds: 34.4 }];
  const brief = renderTable(result, pc.createColors(false), { counts });
  expect(brief).toMatch(/│ terminating endpoints │ +1 │ +1 │ +│ 34 s │/);
  expect(brief.split("\n").filter((line) => line.includes(row.to))).toEqual([
    expect.stringMatching(/^FAIL /),
    expect.stringMatching(/^1 of 2 rows does not hold/),
  ]);
  expect(countsInWords({ ...counts[0], undecided: 2, broken: "no such kind" } as CheckCounts)).toBe(
    "terminating endpoints: 1 passed, 1 failed, 2 open, in 34 s; it did not complete: no such kind",
  );
});

test("without a terminal no cell is broken", () => {
  expect(tableOf().some((line) => line.includes(row.to) && line.includes(row.observed))).toBe(true);
});

test("what was skipped is said, and counts as neither", () => {
  expect(renderTable(result, pc.createColors(false))).toMatch(
    /SKIP cluster: NodePort: node ports from outside: no machine is known\n1 passed, 1 failed\n/,
  );
});

test("what servers and nodes said is text, whatever they said", () => {
  const told = summarise({
    verified: fixtureOccasion,
    rows: [{ ...row, pass: false, observed: "allowed by \u001b[2J", evidence: ["a log says \u001b]52;c;eA==\u0007"] }],
    problems: [{ what: "node: \u202e" }],
  });
  const table = renderTable(told, pc.createColors(false));
  expect(table).toContain("allowed by \ufffd[2J");
  expect(table.replaceAll("\n", "")).not.toMatch(/\p{C}/u);
});
