import type { Expectation } from "../../components/documents/check.ts";
import type { Assessment } from "./assess.ts";
import type { World } from "./world.ts";

const firstPauseMs = 300;
const longestPauseMs = 1500;
/** Factor by which the time grows if no row failed but some could not be decided. */
const busyPatienceMs = 60_000;

/** One try of every expectation. */
export type Round = (expectations: Expectation[]) => Promise<Assessment[]>;

/**
 * Tries the expectations together until all hold or the time is up. All must hold twice, so that a transient state is not taken for
 * the result.
 */
export async function settle(
  world: Pick<World, "clock" | "stopping" | "waiting">,
  expectations: Expectation[],
  withinSeconds: number,
  round: Round,
): Promise<Assessment[]> {
  const { clock, stopping } = world;
  const started = clock.now();
  const giveUp = started + withinSeconds * 1000;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const first = await round(expectations);
    const seen = first.every(({ pass }) => pass) ? confirm(first, await round(expectations)) : first;
    const confirmed = seen !== first && !seen.some(({ undecided }) => undecided !== undefined);
    if (confirmed || seen.every(({ pass }) => pass)) return seen;
    // What a computer cannot send now it cannot send later.
    if (seen.every(({ pass, unsupported }) => pass || unsupported)) return seen;
    // A busy computer may be able to decide these rows later.
    const onlyBusy = seen.every(({ pass, undecided }) => pass || undecided !== undefined);
    const left = giveUp + (onlyBusy ? busyPatienceMs : 0) - clock.now();
    if (left <= 0 || stopping.aborted) return seen;
    world.waiting(howFar(seen, clock.now() - started, left));
    await clock.sleep(Math.max(0, Math.min(pause, left)));
  }
}

/** `2 of 3 hold; client2 → tcp://…: allowed from 172.31.1.162 (4 s, 56 s more at most)`. */
function howFar(assessments: Assessment[], waitedMs: number, leftMs: number): string {
  const failing = assessments.filter(({ pass }) => !pass);
  const [first] = failing;
  const example = first ? `${first.expectation.from.text} → ${first.expectation.to.text}: ${first.observed}` : "";
  const [waited, left] = [waitedMs, leftMs].map((milliseconds) => Math.ceil(milliseconds / 1000));
  return `${assessments.length - failing.length} of ${assessments.length} hold; ${example} (${waited} s, ${left} s more at most)`;
}

function confirm(first: Assessment[], again: Assessment[]): Assessment[] {
  return again.map((assessment, index) => {
    if (assessment.pass || assessment.undecided !== undefined) return assessment;
    const note = `it held at first (${first[index]?.observed}), but not when tried again`;
    return { ...assessment, evidence: [note, ...assessment.evidence] };
  });
}
