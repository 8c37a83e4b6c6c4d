import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readBaseline } from "../preview/baseline.ts";
import { type Baseline, buildPreview } from "../preview/build.ts";
import type { Operation } from "./operation.ts";
import type { Project } from "./project.ts";
import { say } from "./terminal.ts";

/**
 * The last `up` without the Pulumi CLI stores its preview here, so that the next preview can show changes.
 * It is a result, like that of the verification: only a preview reads it.
 */
const pathOf = ({ folder, stack }: Project): string => join(folder, "out", `deployed-${stack}.json`);

export function rememberDeployed(project: Project, operations: Operation[]): void {
  const path = pathOf(project);
  const preview = buildPreview({ project: project.name, stack: project.stack, resources: operations });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(preview, null, 2)}\n`);
}

export function forgetDeployed(project: Project): void {
  rmSync(pathOf(project), { force: true });
}

/** The last deployment from this folder; undefined if not known. */
export function lastDeployed(project: Project): Baseline | undefined {
  const path = pathOf(project);
  if (!existsSync(path)) return undefined;
  try {
    return readBaseline(readFileSync(path, "utf8"), "the last `up`");
  } catch (error) {
    say(`${path} is not used: ${(error as Error).message}`);
    return undefined;
  }
}
