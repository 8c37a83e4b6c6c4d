import { title } from "../preview/resource.ts";
import { failureOf, Interrupted, messageOf, RunnerFailure } from "./failure.ts";
import { attachMonitor, type Call } from "./monitor.ts";
import type { Operation, Outcome } from "./operation.ts";
import type { Project } from "./project.ts";
import { loadProgram, protocolFor, sdkOf } from "./sdk.ts";
import { say } from "./terminal.ts";
import { Places } from "./where.ts";

const INTERRUPTS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Called for each resource. */
export type Visit = (operation: Operation, signal: AbortSignal) => Promise<Outcome>;

/**
 * Runs a stack's program; `visit` creates (or only inspects) each resource, in dependency order.
 * @returns the stack's outputs, secrets still marked.
 * @throws RunnerFailure with the resource's name, once all running operations have ended.
 */
export async function runProgram(
  project: Project,
  preview: boolean,
  visit: Visit,
  call: Call = async () => undefined,
): Promise<Record<string, unknown>> {
  const sdk = sdkOf(project);
  const places = new Places(project);
  // A component may refuse something far below the line that declares it.
  Error.stackTraceLimit = 100;
  const stop = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  let failure: Error | undefined;
  const fail = (error: unknown) => {
    failure ??= error instanceof RunnerFailure ? error : programFailure(error, places.ofError(error));
    stop.abort(failure);
  };
  const ended = new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
  process.chdir(project.folder);
  sdk.runtime.setAllConfig(project.config, []);
  const outputs = await attachMonitor(
    sdk,
    protocolFor(project),
    { project: project.name, stack: project.stack, preview },
    async (operation, declaredAt) => {
      stop.signal.throwIfAborted();
      const work = visit(operation, stop.signal).catch((error: unknown) => {
        fail(operationFailure(operation, error, places.ofFrames(declaredAt)));
        throw error;
      });
      underWay.add(work);
      return work.finally(() => underWay.delete(work));
    },
    call,
  );

  // The SDK repeats a resource's failure in every output that depends on it, as unhandled rejections.
  const interrupt = (signal: NodeJS.Signals) => {
    // On the second signal the user does not want to wait for running operations.
    if (failure instanceof Interrupted) process.exit(failure.exitCode);
    say(`${signal}: waiting for running operations to end and clean up; repeat to exit at once`);
    fail(new Interrupted(signal));
  };
  for (const signal of INTERRUPTS) process.on(signal, interrupt);
  process.on("unhandledRejection", fail);
  process.on("uncaughtException", fail);
  const finished = sdk.runtime
    .runInPulumiStack(async () => loadProgram(project))
    .then(() => sdk.runtime.disconnect())
    .catch(fail);
  await Promise.race([finished, ended]);
  await Promise.allSettled(underWay);
  // Refusals of values that become known only later are reported after the program has ended.
  await saidAll();
  process.off("unhandledRejection", fail);
  process.off("uncaughtException", fail);
  for (const signal of INTERRUPTS) process.off(signal, interrupt);
  if (failure) throw failure;
  return outputs.current;
}

/** Resolves when Node has reported every unhandled rejection. */
async function saidAll(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A RunError of the SDK: a refused argument, or a missing setting. */
function isUsersMistake(error: unknown): boolean {
  return typeof error === "object" && error !== null && "__pulumiRunError" in error;
}

/** A failure of the program itself. */
function programFailure(error: unknown, where: string | undefined): RunnerFailure {
  const { next, exitCode } = failureOf(error);
  return new RunnerFailure(messageOf(error), { next, where, exitCode: isUsersMistake(error) ? 2 : exitCode });
}

function operationFailure(operation: Operation, error: unknown, where: string | undefined): RunnerFailure {
  const { next, exitCode } = failureOf(error);
  return new RunnerFailure(`${title(operation)}: ${messageOf(error)}`, { next, where, exitCode });
}
