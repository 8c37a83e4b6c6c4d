// The one loop that waits for something in a cluster, on top of p-retry. The clock is a parameter, so that tests do not wait.
import { setTimeout as pause } from "node:timers/promises";
import pRetry from "p-retry";
import { ApiRefusal } from "./errors.ts";

/** Time. */
export interface Clock {
  /** Milliseconds; compares only with itself. */
  now(): number;
  /** Rejects with the signal's reason when that is aborted, where the clock knows of signals. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<unknown>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    await pause(milliseconds, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
  },
};

export interface Patience {
  /** How long retrying can help with this error, in milliseconds since the first attempt; 0: not at all. */
  limitMs: (error: Error) => number;
  /** Milliseconds between two attempts; a longer `Retry-After` of the API server takes precedence. */
  everyMs: number;
  /** Called before each pause. */
  waiting?: (error: Error) => void | Promise<void>;
  clock?: Clock;
  /** Ends the waiting, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Retries until it succeeds. @throws the error of the last attempt when the limit is reached */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { limitMs, everyMs, waiting, clock = realClock, signal }: Patience,
): Promise<T> {
  const begun = clock.now();
  return pRetry(attempt, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 0, // pauses are made by the clock
    signal,
    shouldRetry: async ({ error }) => {
      const left = limitMs(error) - (clock.now() - begun);
      if (left <= 0) return false;
      await waiting?.(error);
      const asked = error instanceof ApiRefusal ? (error.retryAfterMs ?? 0) : 0;
      await clock.sleep(Math.max(everyMs, Math.min(asked, left)), signal);
      return true;
    },
  });
}

/** What is still missing, in a few words. */
class Missing extends Error {}

/** Milliseconds between two looks, and between two messages about the same reason. */
const [LOOK_EVERY, SAY_EVERY] = [2_000, 20_000];

/**
 * Looks again and again until nothing is missing.
 * @param look what is still missing, in a few words; undefined when nothing is
 * @returns what was still missing when time ran out
 */
export async function until(
  look: () => Promise<string | undefined>,
  seconds: number,
  say: (line: string) => void,
  { clock = realClock, everyMs = LOOK_EVERY, signal }: Partial<Pick<Patience, "clock" | "everyMs" | "signal">> = {},
): Promise<string | undefined> {
  let said = Number.NEGATIVE_INFINITY;
  let before = "";
  const lookOnce = async (): Promise<void> => {
    const missing = await look();
    if (missing !== undefined) throw new Missing(missing);
  };
  const waiting = ({ message }: Error): void => {
    if (message === before && clock.now() - said < SAY_EVERY) return;
    say(`waiting: ${message}`);
    said = clock.now();
    before = message;
  };
  const limitMs = (error: Error): number => (error instanceof Missing ? seconds * 1000 : 0);
  try {
    await patiently(lookOnce, { limitMs, everyMs, waiting, clock, signal });
    return undefined;
  } catch (error) {
    if (error instanceof Missing) return error.message;
    throw error;
  }
}
