import { title } from "../preview/resource.ts";
import { RunnerFailure } from "./failure.ts";
import type { Operation } from "./operation.ts";
import type { Project } from "./project.ts";
import { CommandFailure, localCommand } from "./resources/local-command.ts";
import { runProgram } from "./run-program.ts";
import { ResourceReport, say } from "./terminal.ts";

/** The command by which `ExistingCluster` checks its cluster. */
const PREFLIGHT = "ebpf-dataplane:index:ExistingCluster$command:local:Command";

/** Runs only the preflights of a stack. @throws RunnerFailure with exit code 2 if nothing could be asked, 1 if something blocks the
 * dataplane */
export async function preflight(project: Project, json: boolean): Promise<void> {
  say(`Stack ${project.stack}: its preflight only. Nothing is changed.`);
  const found: Operation[] = [];
  await runProgram(project, true, async (operation) => {
    if (operation.urn.includes(`::${PREFLIGHT}::`)) found.push(operation);
    return { id: "", state: operation.inputs };
  });
  if (found.length === 0)
    throw new RunnerFailure("it has no ExistingCluster to check", {
      next: "choose another stack: make preflight STACK=existing",
      exitCode: 2,
    });
  const run = localCommand(project.folder);
  for (const operation of found) {
    const report = new ResourceReport(title(operation));
    try {
      const { state } = await run(operation, report, new AbortController().signal);
      if (json) process.stdout.write(`${state.stdout}\n`);
    } catch (error) {
      // The blocking findings are the requested output.
      if (!(error instanceof CommandFailure)) throw error;
      if (json && error.stdout) process.stdout.write(`${error.stdout}\n`);
      // The status of the preflight itself: of a cluster that cannot be asked 2, of one with obstacles 1.
      throw error.status === 2 ? new RunnerFailure(error.message, { exitCode: 2 }) : error;
    }
    report.done();
  }
}
