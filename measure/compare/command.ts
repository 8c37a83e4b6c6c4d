import { existsSync } from "node:fs";
import { join } from "node:path";
import { KubernetesError } from "../../kubernetes/errors.ts";
import { apiServerOf } from "../../kubernetes/kubeconfig.ts";
import type { Comparison } from "../../report/results/compare.ts";
import { readView } from "../../verify/cluster/view.ts";
import { connectWorld, loadKubeconfig, NoCluster } from "../../verify/connect.ts";
import { reachLab } from "../../verify/lab.ts";
import { documentOf, messageOf, writeResult } from "../../verify/session.ts";
import { stopOnSignal, stoppedStatus } from "../../verify/stopping.ts";
import { colorsFor, telling } from "../../verify/terminal.ts";
import { observeEnvironment } from "../environment.ts";
import { type Comparing, compare, stepsOf } from "./compare.ts";
import { type CompareOptions, requireOptions, WrongOptions } from "./options.ts";
import { progressOf } from "./progress.ts";
import { loadProxyImage } from "./proxy-image.ts";
import { renderComparison } from "./table.ts";
import { entryAddress, findTarget, NothingToCompare } from "./target.ts";

/** Output options. */
export interface CompareOutput {
  /** File for the result. */
  out: string;
  /** JSON on standard output, messages on standard error. */
  json: boolean;
  /** No progress. */
  quiet: boolean;
}

/** Exit status: all as expected; something not as expected or not measured; nothing to compare; stopped. */
const status = { held: 0, failed: 1, unusable: 2, stopped: stoppedStatus };

/** @returns the exit status */
export async function compareCommand(options: CompareOptions, output: CompareOutput): Promise<number> {
  const stopping = stopOnSignal();
  try {
    const comparison = await compareOnLab(requireOptions(options), stopping, output.quiet);
    write(comparison, output);
    if (stopping.aborted) return status.stopped;
    return isWhole(comparison) ? status.held : status.failed;
  } catch (error) {
    const ofUsers = [WrongOptions, NothingToCompare, NoCluster, KubernetesError];
    console.error(ofUsers.some((kind) => error instanceof kind) ? (error as Error).message : messageOf(error));
    return status.unusable;
  }
}

/** Compares on the local lab. @throws WrongOptions, NothingToCompare or NoCluster when there is nothing to compare */
export async function compareOnLab(options: CompareOptions, stopping: AbortSignal, quiet = false): Promise<Comparison> {
  const loadProgram = join(import.meta.dirname, "load");
  if (!existsSync(loadProgram))
    throw new NothingToCompare(`the load generator ${loadProgram} is not built: make build`);
  const { lab, programs } = await reachLab(options.lab);
  if (!lab.kubeconfig)
    throw new NothingToCompare(`there is no local cluster "${options.lab}": start one with \`make up\``);
  const config = loadKubeconfig({ local: lab.kubeconfig });
  const api = apiServerOf(config);
  const view = await readView(api);
  const target = findTarget(options, lab, view);
  const terminal = telling(quiet);
  const progress = progressOf(stepsOf(options), terminal);
  const enter = (machine: string) => [process.execPath, programs.lab, "exec", options.lab, machine, "--"];
  if (options.modes.some((mode) => mode.startsWith("KubeProxy"))) {
    terminal.now("looking for kube-proxy's image on the nodes");
    await loadProxyImage(
      join(import.meta.dirname, "images.json"),
      target.nodes.map(({ name }) => enter(name)),
    );
  }
  const world = connectWorld({ config, lab, programs, stopping, telling: { ...terminal, now: () => {} } });
  const comparing: Comparing = {
    world,
    target,
    entry: entryAddress(target, view),
    enter,
    loadProgram,
    environment: await observeEnvironment(commandOf(options), api),
    progress,
  };
  try {
    return await compare(options, comparing);
  } finally {
    await world.close();
  }
}

const isWhole = ({ expected, modes }: Comparison): boolean =>
  expected.every(({ pass }) => pass) &&
  modes.every(({ problem, rounds, connections }) => problem === undefined && rounds > 0 && connections > 0);

function commandOf({ lab, modes, rounds, connections, concurrency, seed }: CompareOptions): string {
  return `node dist/verify.js compare --lab ${lab} --modes ${modes.join(",")} --rounds ${rounds} --connections ${connections} --concurrency ${concurrency} --seed ${seed}`;
}

function write(comparison: Comparison, { out, json }: CompareOutput): void {
  writeResult(out, comparison);
  const people = json ? process.stderr : process.stdout;
  people.write(`${renderComparison(comparison, colorsFor(people))}\n`);
  if (json) process.stdout.write(documentOf(comparison));
}
