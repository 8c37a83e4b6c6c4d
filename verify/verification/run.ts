import { ServiceHandling } from "../../components/dataplane/args.ts";
import type { Measurement } from "../../components/documents/verification.ts";
import { measuredModes } from "../../model/mode/mode.ts";
import type { ComparedMode, ComparedModeResult, Comparison } from "../../report/results/compare.ts";
import type { Topology } from "../../report/results/topology.ts";
import type { Figure, Problem, Row, VerificationResult } from "../../report/results/verification.ts";
import type { ClusterView } from "../cluster/view.ts";
import { ObjectRefused } from "../engine/apply.ts";
import { type CheckOutcome, runCheck, Stopped } from "../engine/run-check.ts";
import type { World } from "../engine/world.ts";
import { follow, leadsToService } from "../follow/follow.ts";
import type { Verification } from "../format/document.ts";
import { assessLimits } from "./limits.ts";
import { countsOf, summarise } from "./summary.ts";

/** Measures new connections; rejects with a message when it cannot. */
export type Measure = (measurement: Measurement) => Promise<Comparison>;

/** One check in numbers. */
export interface CheckCounts {
  name: string;
  passed: number;
  failed: number;
  undecided: number;
  /** With its set-up and its cleanup. */
  seconds: number;
  /** Why it stopped before its last step. */
  broken?: string;
}

/** How a verification ended, besides its results. */
export interface Ending {
  result: VerificationResult;
  /** In the order in which the checks ran. */
  counts: CheckCounts[];
  comparison?: Comparison;
  /** stopped: by the user. refused: the API server rejects an object of a check. */
  ending: "complete" | "stopped" | "refused";
}

/** What happens beside the checks. */
export interface Beside {
  measure?: Measure;
  /** Hears of each check that has ended. */
  checked?: (counts: CheckCounts) => void;
}

/**
 * Checks, then the measurement, then limits. If something fails, the result has everything known by then, and the failure as one of
 * its problems.
 */
export async function carryOut(world: World, verification: Verification, beside: Beside = {}): Promise<Ending> {
  const { measure, checked } = beside;
  const occasion = await world.occasion();
  const counts: CheckCounts[] = [];
  const outcome = await runChecks(world, verification, (one) => {
    counts.push(one);
    checked?.(one);
  });
  const { rows, problems } = outcome;
  const topology = world.stopping.aborted ? undefined : await followOne(world, rows);
  const { measurement, thresholds } = verification;
  let comparison: Comparison | undefined;
  if (measurement && !measure) problems.push(measurementProblem(new Error("this program cannot measure here")));
  if (measurement && measure && !world.stopping.aborted) {
    world.progress(`measuring ${measurement.connections} new connections in each of ${measurement.modes.join(", ")}`);
    try {
      comparison = await measure(measurement);
      problems.push(...modeProblems(comparison));
    } catch (error) {
      problems.push(measurementProblem(error as Error));
    }
  }
  const result = summarise({
    verified: occasion(),
    rows,
    ...(verification.skipped && { skipped: verification.skipped }),
    problems,
    ...(comparison && { figures: comparison.modes.map(figureOf), environment: comparison.environment }),
    ...(topology && { topology }),
    ...(thresholds.length > 0 && { thresholds: assessLimits(thresholds, comparison) }),
  });
  return { result, counts, ...(comparison && { comparison }), ending: endingOf(world, outcome) };
}

async function runChecks(
  world: World,
  { checks }: Verification,
  checked: (counts: CheckCounts) => void,
): Promise<CheckOutcome> {
  const all: CheckOutcome = { rows: [], problems: [] };
  for (const { check } of checks) {
    const begun = world.clock.now();
    const { rows, problems, broken } = await runCheck(world, check);
    const seconds = (world.clock.now() - begun) / 1000;
    checked({ name: check.name, ...countsOf(rows), seconds, ...(broken && { broken: broken.message }) });
    all.rows.push(...rows);
    all.problems.push(...problems);
    all.broken ??= broken;
  }
  return all;
}

/**
 * The path of a connection as deployed, from the first client that was served through a node. It has no expectation, so a
 * failure to follow it is reported, but is not a problem of the result.
 */
async function followOne(world: World, rows: Row[]): Promise<Topology | undefined> {
  const isMachine = (from: string) => world.machines.some(({ name }) => name === from);
  const candidates = rows.filter(
    ({ from, to, seen = [] }) =>
      isMachine(from) &&
      to.startsWith("tcp://") &&
      seen.some(({ verdict, entryNode }) => verdict === "allowed" && entryNode !== undefined),
  );
  if (candidates.length === 0) return undefined;
  try {
    const view = await world.view();
    const served = candidates.find(({ from, to }) => leadsToService(view, { client: from, to }));
    if (!served) return undefined; // their Services were the checks', and are removed
    world.progress(`following a connection of ${served.from} to ${served.to}`);
    const mode = deployedMode(view);
    const topology = mode && (await follow(world, { mode, client: served.from, to: served.to }));
    return topology?.paths.some(({ legs }) => legs.length > 0) ? topology : undefined;
  } catch (error) {
    world.progress(`the connection was not followed: ${(error as Error).message}`);
    return undefined;
  }
}

/** According to the cluster's objects. */
function deployedMode({ serviceHandling = ServiceHandling.Ebpf, returnMode }: ClusterView): ComparedMode | undefined {
  if (serviceHandling === ServiceHandling.Ebpf) return returnMode === "Tunnel" ? "EbpfTunnel" : "EbpfDsr";
  return measuredModes.find((mode) => mode === serviceHandling);
}

function endingOf(world: World, { broken }: CheckOutcome): Ending["ending"] {
  if (world.stopping.aborted || broken instanceof Stopped) return "stopped";
  return broken instanceof ObjectRefused && !broken.unreachable ? "refused" : "complete";
}

function figureOf({
  mode,
  connections,
  meanUs,
  medianSpreadUs,
  p99Us,
  rounds,
  disturbedRounds,
}: ComparedModeResult): Figure {
  return { mode, connections, meanUs, medianUs: medianSpreadUs, p99Us, rounds, disturbedRounds };
}

/** Reasons why figures do not represent their modes. */
function modeProblems({ modes, expected }: Comparison): Problem[] {
  const wrong = expected.filter(({ pass }) => !pass);
  return [
    ...modes.flatMap(({ mode, problem }) => (problem ? [`${mode} was not measured completely: ${problem}`] : [])),
    ...wrong.map(({ what, expected, observed }) => `${what}: expected ${expected}, observed ${observed}`),
  ].map((what) => ({ what }));
}

function measurementProblem({ message }: Error): Problem {
  return {
    what: `connections were not measured: ${message}`,
    next: "when the cluster answers again (kubectl get nodes), run the verification again",
  };
}
