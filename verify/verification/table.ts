import Table from "cli-table3";
import type { Colors } from "picocolors/types";
import { longestLine, sharedWidths, wrapped } from "../../components/program/fit.ts";
import { asText } from "../../model/printable.ts";
import { placeInWords } from "../../report/results/occasion.ts";
import { type Figure, holds, type Row, type VerificationResult } from "../../report/results/verification.ts";
import type { CheckCounts } from "./run.ts";

const HEAD = ["", "from", "to", "expected", "observed"];

/** Borders of the table, and a space on each side of a cell. */
const LINES = 3 * HEAD.length + 1;

/** Cells of fewer characters cannot be read, however narrow the terminal is. */
const NARROWEST = 76;

export interface TableOptions {
  /** Of the terminal; without it the table is as wide as its longest cells. */
  columns?: number | undefined;
  /** Where the table has a line for each check instead of one for each row. */
  counts?: CheckCounts[];
}

/** The truth table for people. Every row has PASS or FAIL in letters, so that it is readable without colours. */
export function renderTable(told: VerificationResult, colors: Colors, options: TableOptions = {}): string {
  const { columns, counts } = options;
  // Rows contain answers of servers and nodes, and messages contain texts of the kubelet.
  const result = asText(told);
  const { passed, failed, undecided, rows, problems, figures = [], thresholds = [], skipped = [] } = result;
  const word = (row: Row) =>
    row.pass ? colors.green("PASS") : row.undecided === undefined ? colors.red("FAIL") : colors.yellow("OPEN");
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
  const left = skipped.map(({ step, what, why }) => `${colors.yellow("SKIP")} ${step}: ${what}: ${why}`);
  const total = totalOf({ passed, failed, undecided });
  const verdict = holds(result) ? colors.green(total) : colors.red(total);
  return [
    counts ? tableOfChecks(counts) : tableOfRows(rows, colors, word, columns),
    ...failures,
    ...left,
    ...figures.map(figureLine),
    ...limits,
    ...unknown,
    verdict,
    result.verdict,
    colors.dim(`verified ${result.verified.endedAt} on ${placeInWords(result.verified)}`),
  ].join("\n");
}

function tableOfRows(rows: Row[], colors: Colors, word: (row: Row) => string, columns?: number): string {
  const table = new Table({ head: HEAD, style: { head: [], border: [] } });
  const cells = rows.map(({ from, to, expected, observed }) => ["PASS", from, to, expected, observed]);
  const room = Math.max(columns ?? Number.POSITIVE_INFINITY, NARROWEST) - LINES;
  const needed = HEAD.map((head, index) => Math.max(head.length, ...cells.map((row) => longestLine(row[index] ?? ""))));
  const widths = columns === undefined ? needed : sharedWidths(needed, room);
  const inCell = (text: string, column: number): string => wrapped(text, widths[column] ?? text.length);
  const across = widths.reduce((total, width) => total + width + 3, -3);
  let step: string | undefined;
  for (const row of rows) {
    if (row.step !== step) table.push([{ colSpan: 5, content: colors.bold(wrapped(row.step ?? "", across)) }]);
    step = row.step;
    table.push([word(row), inCell(row.from, 1), inCell(row.to, 2), inCell(row.expected, 3), inCell(row.observed, 4)]);
  }
  return table.toString();
}

function tableOfChecks(counts: CheckCounts[]): string {
  const table = new Table({
    head: ["check", "passed", "failed", "open", "time"],
    colAligns: ["left", "right", "right", "right", "right"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
  for (const { name, passed, failed, undecided, seconds } of counts)
    table.push([name, passed, failed || "", undecided || "", `${Math.round(seconds)} s`]);
  return table.toString();
}

/** `sig-network: services: 120 passed, 1 failed, in 34 s`. */
export function countsInWords({ name, passed, failed, undecided, seconds, broken }: CheckCounts): string {
  const why = broken === undefined ? "" : `; it did not complete: ${broken}`;
  return `${name}: ${totalOf({ passed, failed, undecided })}, in ${Math.round(seconds)} s${why}`;
}

const totalOf = ({ passed, failed, undecided }: Pick<VerificationResult, "passed" | "failed" | "undecided">): string =>
  `${passed} passed, ${failed} failed${undecided > 0 ? `, ${undecided} open` : ""}`;

function figureLine({ mode, connections, meanUs, medianUs, p99Us, rounds, disturbedRounds }: Figure): string {
  const median = `median ${rounded(medianUs.value)} µs (95 %: ${rounded(medianUs.low)} to ${rounded(medianUs.high)})`;
  const set = disturbedRounds > 0 ? `, ${disturbedRounds} disturbed ones set aside` : "";
  return `${mode}: ${median}, mean ${rounded(meanUs)} µs, p99 ${rounded(p99Us)} µs; ${connections} connections in ${rounds} rounds${set}`;
}

/** Three significant digits: the measurements are not more precise. */
const rounded = (value: number): string => String(Number(value.toPrecision(3)));
