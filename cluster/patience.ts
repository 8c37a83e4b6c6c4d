import { setTimeout as pause } from "node:timers/promises";

/** Time, passed in so that waiting can be tested without waiting. */
export interface Clock {
  /** Milliseconds; compares only with itself. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

export const realClock: Clock = { now: () => performance.now(), sleep: pause };

/** Milliseconds between two looks, and between two words about the same wait. */
const [LOOK_EVERY, SAY_EVERY] = [2_000, 20_000];

/**
 * Looks again and again until nothing is missing any more.
 * @param look what is still missing, in a few words; undefined when nothing is
 * @returns what was missing last, when the time is over
 */
export async function until(
  look: () => Promise<string | undefined>,
  seconds: number,
  say: (line: string) => void,
  clock: Clock = realClock,
): Promise<string | undefined> {
  const started = clock.now();
  let said = Number.NEGATIVE_INFINITY;
  let before = "";
  for (;;) {
    const missing = await look();
    if (missing === undefined) return undefined;
    if (clock.now() - started > seconds * 1000) return missing;
    if (missing !== before || clock.now() - said >= SAY_EVERY) {
      say(`waiting: ${missing}`);
      said = clock.now();
      before = missing;
    }
    await clock.sleep(LOOK_EVERY);
  }
}
