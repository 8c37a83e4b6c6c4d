import Table from "cli-table3";
import type { Colors } from "picocolors/types";
import { placeInWords } from "../../report/results/occasion.ts";
import { type Figure, holds, type Row, type VerificationResult } from "../../report/results/verification.ts";

/** The truth table for people. Every row has PASS or FAIL in letters, so that it is readable without colours. */
export function renderTable(result: VerificationResult, colors: Colors): string {
  const { passed, failed, undecided, rows, problems, figures = [], thresholds = [] } = result;
  const table = new Table({
    head: ["", "from", "to", "expected", "observed"],
    style: { head: [], border: [] },
    wordWrap: true,
  });
  const word = (row: Row) =>
    row.pass ? colors.green("PASS") : row.undecided === undefined ? colors.red("FAIL") : colors.yellow("OPEN");
  let step: string | undefined;
  for (const row of rows) {
    if (row.step !== step) table.push([{ colSpan: 5, content: colors.bold(row.step ?? "") }]);
    step = row.step;
    table.push([word(row), row.from, row.to, row.expected, row.observed]);
  }
  const failures = rows
    .filter(({ pass }) => !pass)
    .map((row) => {
      const reasons = (row.evidence ?? []).filter((reason) => reason !== row.observed);
      const lines = [...reasons, ...(row.next ?? []).map((hint) => `look at: ${hint}`)];
      return [
        `${word(row)} ${row.from} → ${row.to}: expected ${row.expected}; observed ${row.observed}`,
        ...lines.map((line) => `  ${line}`),
      ].join("\n");
    });
  const limits = thresholds.map(({ what, atMost, observed, pass }) => {
    const kept = pass ? colors.green("PASS") : colors.red("FAIL");
    return `${kept} ${what}: ${observed === undefined ? "not measured" : rounded(observed)}, allowed at most ${atMost}`;
  });
  const unknown = problems.flatMap(({ what, next }) => [
    `${colors.red("NOT KNOWN")} ${what}`,
    ...(next ? [`  next: ${next}`] : []),
  ]);
  const total = `${passed} passed, ${failed} failed${undecided > 0 ? `, ${undecided} open` : ""}`;
  const verdict = holds(result) ? colors.green(total) : colors.red(total);
  return [
    table.toString(),
    ...failures,
    ...figures.map(figureLine),
    ...limits,
    ...unknown,
    verdict,
    result.verdict,
    colors.dim(`verified ${result.verified.endedAt} on ${placeInWords(result.verified)}`),
  ].join("\n");
}

function figureLine({ mode, connections, meanUs, medianUs, p99Us, rounds, disturbedRounds }: Figure): string {
  const median = `median ${rounded(medianUs.value)} µs (95 %: ${rounded(medianUs.low)} to ${rounded(medianUs.high)})`;
  const set = disturbedRounds > 0 ? `, ${disturbedRounds} disturbed ones set aside` : "";
  return `${mode}: ${median}, mean ${rounded(meanUs)} µs, p99 ${rounded(p99Us)} µs; ${connections} connections in ${rounds} rounds${set}`;
}

/** Three significant digits: the measurements are not more precise. */
const rounded = (value: number): string => String(Number(value.toPrecision(3)));
