import { ApiUnreachable } from "../kubernetes/errors.ts";
import { title } from "../preview/resource.ts";
import { forgetDeployed } from "./deployed.ts";
import { messageOf, RunnerFailure } from "./failure.ts";
import { type Cluster, deleteObject } from "./kubernetes/apply.ts";
import { isRetained } from "./kubernetes/definitions.ts";
import { stackLabelOf } from "./kubernetes/stack-label.ts";
import type { Operation } from "./operation.ts";
import type { Project } from "./project.ts";
import { Providers } from "./resources/handlers.ts";
import { deleteLocalCommand } from "./resources/local-command.ts";
import { runProgram } from "./run-program.ts";
import { ResourceReport, say } from "./terminal.ts";

/** As for Pulumi's Kubernetes provider: "true" declares that a cluster which does not answer no longer exists. */
const GONE_VARIABLE = "PULUMI_K8S_DELETE_UNREACHABLE";

/**
 * Removes the resources of the program in reverse order. Objects in a cluster that the program itself creates are removed with it.
 * Continues after a failure, so that one resource that cannot be removed leaves nothing else behind.
 */
export async function down(project: Project): Promise<void> {
  say(`Stack ${project.stack}, removed by this package's runner: this is not \`pulumi destroy\`.`);
  const providers = new Providers(project.folder, stackLabelOf(project.name, project.stack));
  const operations = await declared(project);
  refuseProtected(operations);
  for (const operation of operations) {
    if (operation.type !== "pulumi:providers:kubernetes" || operation.inputs.kubeconfig === undefined) continue;
    providers.register(operation);
  }
  const failures: string[] = [];
  const silent = new Set<Cluster>();
  const removed = new Set(
    operations.filter((operation) => isMadeHere(operation) && !isRetained(operation)).map(({ urn }) => urn),
  );
  for (const operation of operations.reverse()) {
    if (isRetained(operation)) {
      say(`  ${title(operation)} stays (retainOnDelete)`);
      continue;
    }
    if (operation.deletedWith && removed.has(operation.deletedWith)) continue;
    const report = new ResourceReport(title(operation));
    try {
      if (await remove(operation, project, providers, silent, report)) report.done();
    } catch (error) {
      failures.push(`${title(operation)}: ${messageOf(error)}`);
    }
  }
  forgetDeployed(project);
  if (failures.length === 0) return;
  const gone = silent.size > 0 ? `; if the cluster no longer exists, with ${GONE_VARIABLE}=true` : "";
  throw new RunnerFailure(failures.join("\n"), { next: `run the same command again${gone}` });
}

/** Whether an `up` of this runner makes such resources; the CLI has made and removes all others. */
const isMadeHere = ({ type }: Operation): boolean => type.startsWith("kubernetes:") || type === "command:local:Command";

/** As `pulumi destroy`: nothing is removed while anything is protected. */
function refuseProtected(operations: Operation[]): void {
  const kept = operations.filter((operation) => operation.protect && isMadeHere(operation)).map(title);
  if (kept.length === 0) return;
  throw new RunnerFailure(`protected: ${kept.join(", ")}; nothing was removed`, {
    next: "set protect: false in the program first",
  });
}

/** The resources of the program, as far as known without creating any. */
async function declared(project: Project): Promise<Operation[]> {
  const operations: Operation[] = [];
  await runProgram(project, true, async (operation) => {
    operations.push(operation);
    return { id: "", state: operation.inputs };
  });
  return operations;
}

/** @returns whether there was something to remove */
async function remove(
  operation: Operation,
  { folder }: Project,
  providers: Providers,
  silent: Set<Cluster>,
  report: ResourceReport,
): Promise<boolean> {
  if (operation.type === "command:local:Command" && operation.inputs.delete !== undefined) {
    await deleteLocalCommand(operation, folder, report);
    return true;
  }
  if (!operation.type.startsWith("kubernetes:") || !providers.knows(operation.provider)) return false;
  const cluster = providers.cluster(operation.provider);
  // After one timeout the cluster is skipped for all other objects: each request may take half a minute.
  if (silent.has(cluster)) return false;
  try {
    await deleteObject(cluster, operation, providers.stackLabel, AbortSignal.timeout(10 * 60_000));
    return true;
  } catch (error) {
    if (!(error instanceof ApiUnreachable)) throw error;
    silent.add(cluster);
    if (process.env[GONE_VARIABLE] !== "true") throw error;
    say(`  ${error.message}: the cluster is gone, and its objects with it`);
    return false;
  }
}
