// The time budget of each test file, from test/durations.json: determines the order of the lanes, and a run is compared with it.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Seconds by test file, measured on two processors, with the other lanes running. */
const budgets = JSON.parse(readFileSync(join(import.meta.dirname, "..", "test", "durations.json"), "utf8")) as Record<
  string,
  number
>;

export const budgeted: readonly string[] = Object.keys(budgets);

export const budgetOf = (path: string): number | undefined => budgets[path];

/** A busy machine takes longer; beyond this factor it is reported. */
const TOLERATED = 2;

/** The ten slowest files of a run, and all that took more than twice their budget. */
export function timeReport(seconds: Readonly<Record<string, number>>): string {
  const slowest = Object.entries(seconds).toSorted(([, a], [, b]) => b - a);
  const over = slowest.filter(([path, taken]) => taken > TOLERATED * (budgetOf(path) ?? Infinity));
  const line = ([path, taken]: [string, number]) =>
    `${taken.toFixed(0).padStart(5)} s  ${path}${budgetOf(path) === undefined ? "" : ` (budget ${budgetOf(path)} s)`}\n`;
  const late =
    over.length > 0
      ? `More than ${TOLERATED} times their budget (test/durations.json): is the machine busy, or did they grow?\n${over.map(line).join("")}`
      : "";
  return `The slowest test files:\n${slowest.slice(0, 10).map(line).join("")}${late}`;
}
