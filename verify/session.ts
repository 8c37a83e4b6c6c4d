import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { widthOf } from "../components/program/fit.ts";
import { KubernetesError, withNext } from "../kubernetes/errors.ts";
import { apiServerOf } from "../kubernetes/kubeconfig.ts";
import { holds, type VerificationResult } from "../report/results/verification.ts";
import { connectWorld, type NamedCluster, NoCluster, namedKubeconfig } from "./connect.ts";
import type { World } from "./engine/world.ts";
import { fileProblem } from "./file-errors.ts";
import type { Verification } from "./format/document.ts";
import { CheckFileError } from "./format/read.ts";
import { reachLab } from "./lab.ts";
import { requireMachines } from "./machine-names.ts";
import { stopOnSignal, stoppedStatus } from "./stopping.ts";
import { NoNode } from "./suite/facts.ts";
import type { SuiteTarget } from "./suite/of-cluster.ts";
import { NotOwn } from "./suite/own-namespaces.ts";
import { colorsFor, telling } from "./terminal.ts";
import { type CheckCounts, carryOut, type Ending, type Measure } from "./verification/run.ts";
import { countsInWords, renderTable } from "./verification/table.ts";

export interface SessionOptions extends NamedCluster {
  /** Name of the local lab whose machines checks may name. */
  lab: string;
  /** Image of the temporary probers on nodes; absent: the agents'. */
  probeImage?: string;
  /** Result on stdout, messages on stderr. */
  json: boolean;
  /** Print only what does not hold. */
  quiet: boolean;
  /** Print a line for each check, and of its rows those that do not hold. */
  brief?: boolean;
}

/** Exit status: all hold; something does not hold or is not known; nothing could be judged; stopped. */
export const status = { held: 0, failed: 1, unusable: 2, stopped: stoppedStatus };

/** What a program of this folder does in a session. */
export interface Parts {
  /** Adds what only the cluster can tell. */
  complete?: (verification: Verification, target: SuiteTarget) => Promise<Verification>;
  /** Writes the results to files. */
  keep: (ending: Ending) => VerificationResult;
  /** How connections are measured, if measuring is possible. */
  measureIn?: (world: World) => Measure;
}

/**
 * One run of a program of this folder, from wrong input to exit status.
 *
 * @param read reads the input; throws CheckFileError
 * @returns the exit status
 */
export async function session(options: SessionOptions, read: () => Verification, parts: Parts): Promise<number> {
  const stopping = stopOnSignal();
  try {
    const ending = await run(read(), options, stopping, parts);
    print(parts.keep(ending), ending, options);
    if (ending.ending === "stopped") return status.stopped;
    if (ending.ending === "refused") return status.unusable;
    return holds(ending.result) ? status.held : status.failed;
  } catch (error) {
    console.error(messageOf(error));
    return status.unusable;
  }
}

async function run(
  written: Verification,
  options: SessionOptions,
  stopping: AbortSignal,
  { complete, measureIn }: Parts,
): Promise<Ending> {
  const { lab, programs } = await reachLab(options.lab);
  const config = namedKubeconfig(options, lab, true);
  const { machines: remote, probeImage = options.probeImage } = written;
  const told = telling(options.quiet);
  // Files with many steps tell more than a person reads.
  const shown = options.brief ? { note: told.now, now: told.now } : told;
  const world = connectWorld({ config, lab, programs, stopping, telling: shown, remote, probeImage });
  const machines = world.machines.map(({ name }) => name);
  for (const { check, file } of written.checks) requireMachines(check, machines, file);
  try {
    const target = { api: apiServerOf(config), config, lab, remote, probeImage };
    const verification = complete ? await complete(written, target) : written;
    const checked = (counts: CheckCounts) => told.note(countsInWords(counts));
    return await carryOut(world, verification, {
      ...(measureIn && { measure: measureIn(world) }),
      ...(options.brief && { checked }),
    });
  } finally {
    await world.close();
  }
}

function print(result: VerificationResult, { counts }: Ending, { json, quiet, brief }: SessionOptions): void {
  const table = (stream: NodeJS.WriteStream): string =>
    `${renderTable(result, colorsFor(stream), { columns: widthOf(stream), ...(brief && { counts }) })}\n`;
  if (json) {
    if (!quiet || !holds(result)) process.stderr.write(table(process.stderr));
    process.stdout.write(documentOf(result));
  } else if (!quiet || !holds(result)) process.stdout.write(table(process.stdout));
}

/** Writes a file of results; the folder need not exist. */
export function writeResult(path: string, result: object): void {
  writeText(path, documentOf(result));
}

/** The same of a file of another form. */
export function writeText(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Otherwise an old result could be mistaken for a killed run's. */
export function forgetResult(path: string): void {
  rmSync(path, { force: true });
}

/** A result as written to a file and standard output. */
export const documentOf = (result: object): string => `${JSON.stringify(result, null, 2)}\n`;

/** @param file `-` is standard input */
export function readInput(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new CheckFileError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}

/** A user's mistake in one line; a bug with its stack. */
export function messageOf(error: unknown): string {
  if (error instanceof KubernetesError) return withNext(error);
  if ([CheckFileError, NoCluster, NoNode, NotOwn].some((known) => error instanceof known))
    return (error as Error).message;
  return fileProblem(error) ?? (error as Error).stack ?? String(error);
}
