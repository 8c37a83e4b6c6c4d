import { randomBytes } from "node:crypto";
import type { Check, Expectation, Step } from "../../components/documents/check.ts";
import { isAway, KubernetesError } from "../../kubernetes/errors.ts";
import { objectText } from "../../kubernetes/object.ts";
import type { Problem, Row } from "../../report/results/verification.ts";
import { advice } from "../words/advice.ts";
import { expectedWords } from "../words/expected.ts";
import { ObjectRefused } from "./apply.ts";
import { type Assessment, untried } from "./assess.ts";
import { KeptProbers } from "./kept-sockets.ts";
import { Ledger } from "./ledger.ts";
import { type Listeners, ListenFailed, startListeners } from "./listeners.ts";
import { runRound } from "./round.ts";
import { settle } from "./step.ts";
import type { World } from "./world.ts";

/** Next step for a computer that is too busy. */
const BUSY = "kubectl top nodes; give the servers a CPU request, or run it again when the computer is less busy";

/** Next step for a computer that cannot send what is asked for. */
const UNSUPPORTED = "run it from another place, or give that computer what it lacks";

/** The run was stopped by the user; what it had set up is removed. */
export class Stopped extends Error {}

/** The result of a check: a row for every expectation, including those that were not reached. */
export interface CheckOutcome {
  rows: Row[];
  problems: Problem[];
  /** The failure that stopped the check before its last step. */
  broken?: Error;
}

/** Runs a check: setup, steps, and in any case the cleanup at the end. */
export async function runCheck(world: World, check: Check): Promise<CheckOutcome> {
  const ledger = new Ledger(world);
  const kept = new KeptProbers(world);
  const rows: Row[] = [];
  let broken: CheckOutcome["broken"];
  let listeners: Listeners | undefined;
  try {
    const nodes = needsNodes(check) ? world.openNodes() : undefined;
    if (check.listen.length > 0) {
      world.progress("starting probe servers");
      await nodes;
      listeners = await startListeners(world, check.listen);
    }
    for (const object of check.setup) {
      stopWhenAsked(world);
      world.progress(`setup: ${objectText(object)}`);
      await ledger.apply(object);
    }
    await nodes;
    for (const index of check.steps.keys()) rows.push(...(await runStep(world, { ledger, kept }, check, index)));
  } catch (error) {
    broken = error as Error;
    // Neither the user's nor the cluster's fault: the stack shows where the bug is.
    if (![Stopped, ObjectRefused, KubernetesError, ListenFailed].some((known) => error instanceof known))
      world.progress(broken.stack ?? broken.message);
  } finally {
    world.progress("removing the check's objects");
  }
  await kept.close();
  const ended = (await listeners?.stop()) ?? [];
  const left = await ledger.undo();
  for (const one of left) world.progress(`could not be undone: ${one}`);
  const untried = broken ? untriedRows(check, rows.length, broken.message) : [];
  const problems = [
    ...(broken ? [brokenProblem(check, broken)] : []),
    ...ended.map((what) => ({ what })),
    ...left.map(leftProblem),
  ];
  return { rows: [...rows, ...untried], problems, ...(broken && { broken }) };
}

/** Whether a check needs probers on nodes: for probes from nodes or pods, for captures, and for probe servers. */
const needsNodes = ({ steps, listen }: Check): boolean =>
  listen.some(({ at }) => at.value.kind === "node") ||
  steps.some(({ expect }) => expect.some(({ from, reply }) => from.value.kind !== "machine" || reply !== undefined));

/** What a check holds from step to step. */
interface Holdings {
  ledger: Ledger;
  kept: KeptProbers;
}

async function runStep(world: World, { ledger, kept }: Holdings, check: Check, index: number): Promise<Row[]> {
  const step = check.steps[index] as Step;
  stopWhenAsked(world);
  kept.nextStep();
  const label = labelOf(check, index);
  world.progress(`${label}: ${step.expect.length} expectations`);
  for (const object of step.apply) await ledger.apply(object);
  for (const id of step.delete) await ledger.delete(id);
  if (step.expect.length === 0) return [];

  const nextToken = tokens();
  const begun = world.clock.now();
  const assessments = await settle(world, step.expect, step.within, (expectations) =>
    tryRound(expectations, () => runRound(world, expectations, nextToken, kept)),
  );
  stopWhenAsked(world);
  const seconds = (world.clock.now() - begun) / 1000;
  return assessments.map((assessment) => ({ ...toRow(assessment, label), seconds }));
}

/** If the cluster does not answer, every expectation reports that; it may answer the next try. */
async function tryRound(expectations: Expectation[], round: () => Promise<Assessment[]>): Promise<Assessment[]> {
  try {
    return await round();
  } catch (error) {
    // Also refusals: a restarted API server knows no RBAC rules for a moment.
    if (!(error instanceof KubernetesError)) throw error;
    const { message } = error;
    const code = isAway(error) ? "apiUnreachable" : "apiRefused";
    return expectations.map((expectation) => untried(expectation, { code, message }));
  }
}

function labelOf(check: Check, step: number): string {
  const named = check.steps[step]?.name;
  if (named !== undefined) return `${check.name}: ${named}`;
  return check.steps.length > 1 ? `${check.name}, step ${step + 1}` : check.name;
}

function toRow(
  { expectation, pass, undecided, unsupported, observed, reasons, evidence, seen }: Assessment,
  step: string,
): Row {
  const [from, to] = [expectation.from.text, expectation.to.text];
  const codes = [...new Set(reasons.map(({ code }) => code))];
  const why = { ...(codes.length > 0 && { reasons: codes }), evidence };
  const row = { from, to, expected: expectedWords(expectation), observed, pass, step, ...why, seen };
  if (undecided !== undefined) return { ...row, undecided, next: [unsupported ? UNSUPPORTED : BUSY] };
  return pass ? row : { ...row, next: advice(expectation, reasons) };
}

/** The expectations after those that have a row. */
function untriedRows(check: Check, known: number, why: string): Row[] {
  const all = check.steps.flatMap(({ expect }, index) => expect.map((expectation) => ({ expectation, index })));
  return all.slice(known).map(({ expectation, index }) => {
    const { next: _, ...row } = toRow(untried(expectation, { code: "notSent", message: why }), labelOf(check, index));
    return row; // no advice: nothing was tried
  });
}

function brokenProblem(check: Check, { message }: Error): Problem {
  return { what: `the check "${check.name}" did not complete: ${message}` };
}

function leftProblem(left: string): Problem {
  return {
    what: `the check's changes could not be undone: ${left}`,
    next: "run the same check again: it recognises its own objects and removes them",
  };
}

function stopWhenAsked(world: World): void {
  if (world.stopping.aborted) throw new Stopped("stopped by the user");
}

/** Tokens that no other run uses: letters and digits that are valid in a log line, a user agent and a DNS label. */
function tokens(): () => string {
  const run = randomBytes(5).toString("hex");
  let next = 0;
  return () => `${run}-${(next++).toString(16)}`;
}
