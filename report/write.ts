import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, extname } from "node:path";
import { buildReport } from "./build.ts";
import type { ReportInputs } from "./inputs.ts";
import { renderReport } from "./page/page.tsx";

/**
 * Writes the report's page, and beside it the JSON that it is made from.
 * @param path of the page; the other has its name and `.json`
 */
export function writeReport(inputs: ReportInputs, path: string): void {
  const report = buildReport(inputs);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(jsonBeside(path), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(path, renderReport(report));
}

export function jsonBeside(path: string): string {
  return `${path.slice(0, path.length - extname(path).length)}.json`;
}
