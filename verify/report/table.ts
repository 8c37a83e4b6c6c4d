import Table from "cli-table3";
import colors from "picocolors";
import { advice } from "./advice.ts";
import type { VerificationResult } from "./result.ts";

/** The truth table for people; every row says PASS or FAIL in letters too, so colour adds and never carries. */
export function renderTable({ passed, failed, rows }: VerificationResult): string {
  const table = new Table({
    head: ["", "from", "to", "expected", "observed"],
    style: { head: [], border: [] },
    wordWrap: true,
  });
  let step: string | undefined;
  for (const row of rows) {
    if (row.step !== step) table.push([{ colSpan: 5, content: colors.bold(row.step ?? "") }]);
    step = row.step;
    table.push([row.pass ? colors.green("PASS") : colors.red("FAIL"), row.from, row.to, row.expected, row.observed]);
  }
  const failures = rows
    .filter(({ pass }) => !pass)
    .map((row) => {
      const reasons = (row.evidence ?? []).filter((reason) => reason !== row.observed);
      const lines = [...reasons, ...advice(row).map((hint) => `look at: ${hint}`)];
      return [
        `${colors.red("FAIL")} ${row.from} → ${row.to}: expected ${row.expected}; observed ${row.observed}`,
        ...lines.map((line) => `  ${line}`),
      ].join("\n");
    });
  const total =
    failed === 0 ? colors.green(`${passed} passed, 0 failed`) : colors.red(`${passed} passed, ${failed} failed`);
  return [table.toString(), ...failures, total].join("\n");
}
