import { title } from "../preview/resource.ts";
import { rememberDeployed } from "./deployed.ts";
import { prune } from "./kubernetes/prune.ts";
import { stackLabelOf } from "./kubernetes/stack-label.ts";
import type { Operation } from "./operation.ts";
import { requireHonoured } from "./options.ts";
import type { Project } from "./project.ts";
import type { Rehearsal } from "./resources/aws/rehearsal.ts";
import { handlerFor, Providers } from "./resources/handlers.ts";
import { runProgram } from "./run-program.ts";
import { mask } from "./secrets.ts";
import { ResourceReport, say } from "./terminal.ts";

/**
 * Creates everything that the program declares, removes from the same clusters what it no longer declares, and prints the stack's
 * outputs, with --json as one JSON object.
 */
export async function up(project: Project, json = false, rehearsal?: Rehearsal): Promise<void> {
  const started = performance.now();
  const on = rehearsal ? ` Nothing reaches AWS: its resources are created on the lab ${rehearsal.lab}.` : "";
  say(
    `Stack ${project.stack}, deployed by this package's runner: this is not \`pulumi up\`. It keeps no state and applies everything again.${on}`,
  );
  const providers = new Providers(project.folder, stackLabelOf(project.name, project.stack));
  const operations: Operation[] = [];
  let count = 0;
  const outputs = await runProgram(
    project,
    false,
    async (operation, signal) => {
      operations.push(operation);
      requireHonoured(operation);
      if (!operation.custom) return { id: "", state: operation.inputs };
      const report = new ResourceReport(title(operation));
      const outcome = await handlerFor(operation.type, providers, project.folder, rehearsal)(operation, report, signal);
      if (!operation.type.startsWith("pulumi:providers:")) {
        report.done();
        count++;
      }
      return outcome;
    },
    rehearsal?.call,
  );
  // Only now, so that no resource loses a dependency before its replacement is ready.
  for (const cluster of providers.used) await prune(cluster, providers.stackLabel, (line) => new ResourceReport(line));
  // A rehearsal is not a deployment of the stack.
  if (!rehearsal) rememberDeployed(project, operations);
  say(`${count} resources in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (json) {
    process.stdout.write(`${JSON.stringify(mask(outputs), null, 2)}\n`);
    return;
  }
  for (const [key, value] of Object.entries(mask(outputs) as Record<string, unknown>)) {
    process.stdout.write(`${key}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`);
  }
}
