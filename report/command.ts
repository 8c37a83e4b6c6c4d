import { join } from "node:path";
import { readResults } from "./read-results.ts";
import { jsonBeside, writeReport } from "./write.ts";

export interface ReportOptions {
  /** Folder of the results. */
  from: string;
  /** The page; default `report.html` in that folder. */
  out?: string;
}

/** @returns the exit status: 2 when there is nothing to report on */
export function reportCommand({ from, out = join(from, "report.html") }: ReportOptions): number {
  if (!out.endsWith(".html")) {
    console.error(`--out ${out}: must end in .html; the JSON is written beside it`);
    return 2;
  }
  const { inputs, found, sentences } = readResults(from);
  for (const sentence of sentences) console.error(sentence);
  if (found.length === 0) {
    console.error(
      `Nothing to report: ${from} has no result that can be used; \`make up\` and \`make compare\` write some.`,
    );
    return 2;
  }
  writeReport({ ...inputs, writtenAt: new Date() }, out);
  console.log(`${out} and ${jsonBeside(out)}: made from ${found.join(", ")}`);
  return 0;
}
