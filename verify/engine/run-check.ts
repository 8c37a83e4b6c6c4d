import { randomBytes } from "node:crypto";
import { named } from "../cluster/resources.ts";
import type { Check, Step } from "../format/schema.ts";
import type { Row } from "../report/result.ts";
import { expectedWords } from "./expected.ts";
import type { Judgement } from "./judge.ts";
import { Ledger } from "./ledger.ts";
import { runRound } from "./round.ts";
import { settle } from "./step.ts";
import type { World } from "./world.ts";

/** The run was stopped by the user; what it had set up is removed. */
export class Stopped extends Error {}

/** Carries a check out: setup, steps, and whatever happened, everything undone at the end. */
export async function runCheck(world: World, check: Check): Promise<Row[]> {
  const ledger = new Ledger(world);
  try {
    for (const object of check.setup) {
      stopWhenAsked(world);
      world.progress(`setup: ${named(object)}`);
      await ledger.apply(object);
    }
    const rows: Row[] = [];
    for (const [index, step] of check.steps.entries()) rows.push(...(await runStep(world, ledger, check, step, index)));
    return rows;
  } finally {
    world.progress("removing what the check made");
    for (const left of await ledger.undo()) world.progress(`could not be undone: ${left}`);
  }
}

async function runStep(world: World, ledger: Ledger, check: Check, step: Step, index: number): Promise<Row[]> {
  stopWhenAsked(world);
  const label = check.steps.length > 1 ? `${check.name}, step ${index + 1}` : check.name;
  world.progress(`${label}: ${step.expect.length} expectations`);
  for (const object of step.apply) await ledger.apply(object);
  for (const id of step.delete) await ledger.delete(id);
  if (step.expect.length === 0) return [];

  const nextToken = tokens();
  const judgements = await settle(world, step.expect, step.within, (expectations) =>
    runRound(world, expectations, nextToken),
  );
  stopWhenAsked(world);
  return judgements.map((judgement) => toRow(judgement, label));
}

function toRow({ expectation, pass, observed, evidence }: Judgement, step: string): Row {
  const { from, to } = expectation;
  return { from, to, expected: expectedWords(expectation), observed, pass, step, evidence };
}

function stopWhenAsked(world: World): void {
  if (world.stopping.aborted) throw new Stopped("stopped");
}

/** Tokens that no other run uses: letters and digits that stand in a log line, a user agent and a DNS label. */
function tokens(): () => string {
  const run = randomBytes(5).toString("hex");
  let next = 0;
  return () => `${run}-${(next++).toString(16)}`;
}
