import { join } from "node:path";
import { reportCommands } from "./commands.ts";
import { readResults } from "./read-results.ts";
import { jsonBeside, writeReport } from "./write.ts";

export interface ReportOptions {
  /** Folder of the results. */
  from: string;
  /** The page; default `report.html` in that folder. */
  out?: string;
}

/** @returns the exit status: 2 when there is nothing to report on */
export function reportCommand({ from, out = join(from, "report.html") }: ReportOptions, isCheckout: boolean): number {
  if (!out.endsWith(".html")) {
    console.error(`--out ${out}: must end in .html; the JSON is written beside it`);
    return 2;
  }
  const { inputs, found, sentences } = readResults(from);
  for (const sentence of sentences) console.error(sentence);
  if (found.length === 0) {
    const { verification, compare } = reportCommands(isCheckout);
    const next = `Next: ${verification}; or ${compare}, which writes another one.`;
    console.error(`Nothing to report: ${from} has no result that can be used. ${next}`);
    return 2;
  }
  writeReport({ ...inputs, isCheckout, writtenAt: new Date() }, out);
  console.log(`${out} and ${jsonBeside(out)}: made from ${found.join(", ")}`);
  return 0;
}
