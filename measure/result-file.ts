import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { packageFolder } from "../lab/installation.ts";
import type { Environment } from "../report/results/environment.ts";

/**
 * Writes out/NAME.json; with `keep` also a copy below measure/results, named by day and commit, to be committed.
 * @returns the files' paths, from the package's folder
 */
export function writeResult(name: string, result: { environment: Environment }, keep: boolean): string[] {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const { measuredAt, commit = "unknown" } = result.environment;
  const files = [join(packageFolder, "out", `${name}.json`)];
  if (keep) files.push(join(packageFolder, "measure", "results", `${name}-${measuredAt.slice(0, 10)}-${commit}.json`));
  for (const file of files) {
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
  return files.map((file) => relative(packageFolder, file));
}
