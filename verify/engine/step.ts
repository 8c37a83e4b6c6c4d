import type { Expectation } from "../format/schema.ts";
import type { Judgement } from "./judge.ts";
import type { World } from "./world.ts";

const firstPauseMs = 300;
const longestPauseMs = 1500;

/** One try of every expectation. */
export type Round = (expectations: Expectation[]) => Promise<Judgement[]>;

/**
 * Tries the expectations together until all hold or the time is up; then they must hold once more, so that a passing
 * moment on the way to another state is not taken for the result.
 */
export async function settle(
  world: Pick<World, "clock" | "stopping">,
  expectations: Expectation[],
  withinSeconds: number,
  round: Round,
): Promise<Judgement[]> {
  const { clock, stopping } = world;
  const giveUp = clock.now() + withinSeconds * 1000;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const first = await round(expectations);
    if (first.every(({ pass }) => pass)) return confirm(first, await round(expectations));
    if (clock.now() >= giveUp || stopping.aborted) return first;
    await clock.sleep(Math.max(0, Math.min(pause, giveUp - clock.now())));
  }
}

function confirm(first: Judgement[], again: Judgement[]): Judgement[] {
  return again.map((judgement, index) => {
    if (judgement.pass) return judgement;
    const note = `it held at first (${first[index]?.observed}), and no longer when tried once more`;
    return { ...judgement, evidence: [note, ...judgement.evidence] };
  });
}
