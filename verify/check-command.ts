import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { connectWorld, loadKubeconfig, NoCluster } from "./connect.ts";
import { ObjectRefused } from "./engine/apply.ts";
import { runCheck, Stopped } from "./engine/run-check.ts";
import { CheckFileError, readChecks } from "./format/read.ts";
import { describeLab } from "./lab.ts";
import { requireMachines } from "./machine-names.ts";
import { type Row, summarise, type VerificationResult } from "./report/result.ts";
import { renderTable } from "./report/table.ts";

export interface CheckOptions {
  /** Where the result is written. */
  out: string;
  /** Name of the local lab whose machines checks may name. */
  lab: string;
  kubeconfig?: string;
  /** Result on stdout, everything for people on stderr. */
  json: boolean;
}

/** Exit status: every row holds; a row fails; nothing could be judged (a wrong file, no cluster); stopped. */
const status = { held: 0, failed: 1, unusable: 2, stopped: 130 };

/** @returns the exit status */
export async function checkCommand(files: string[], options: CheckOptions): Promise<number> {
  const stopping = stopOnSignal();
  try {
    const result = await runFiles(files, options, stopping);
    write(result, options);
    return result.failed === 0 ? status.held : status.failed;
  } catch (error) {
    if (error instanceof Stopped) return status.stopped;
    console.error(messageOf(error));
    return status.unusable;
  }
}

async function runFiles(files: string[], options: CheckOptions, stopping: AbortSignal): Promise<VerificationResult> {
  // Every file is read before anything is touched: a mistake in the last one costs nothing.
  const read = files.map((file) => ({ file, checks: readChecks(readInput(file), file === "-" ? "stdin" : file) }));
  const programs = { lab: join(import.meta.dirname, "lab.js"), agent: join(import.meta.dirname, "agent.js") };
  const lab = { name: options.lab, ...(await describeLab(programs.lab, options.lab)) };
  const config = loadKubeconfig({
    path: options.kubeconfig,
    content: process.env.KUBECONFIG_CONTENT,
    environment: process.env.KUBECONFIG,
    lab: lab.kubeconfig,
  });
  const machines = lab.machines.map(({ name }) => name);
  for (const { file, checks } of read) for (const check of checks) requireMachines(check, machines, file);

  const world = connectWorld(config, lab, programs, stopping, (message) => console.error(message));
  const rows: Row[] = [];
  for (const check of read.flatMap(({ checks }) => checks)) rows.push(...(await runCheck(world, check)));
  return summarise({ rows, problems: [] });
}

function write(result: VerificationResult, { out, json }: CheckOptions): void {
  const document = `${JSON.stringify(result, null, 2)}\n`;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, document);
  const table = renderTable(result);
  if (json) {
    console.error(table);
    process.stdout.write(document);
  } else {
    console.log(table);
  }
}

function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CheckFileError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

/** The first signal stops after the round under way and undoes; a second one leaves at once. */
function stopOnSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(status.stopped);
      console.error(`${signal}: stopping, and removing what the check made; once more to leave it behind`);
      controller.abort();
    });
  }
  return controller.signal;
}

/** A user's mistake in one line; a fault of ours with its stack. */
function messageOf(error: unknown): string {
  if (error instanceof CheckFileError || error instanceof ObjectRefused || error instanceof NoCluster)
    return error.message;
  const { message, stack } = error as Error;
  return /^API server /.test(message) ? message : (stack ?? message);
}
