/** How often it is looked whether this process has a processor. */
const tickMs = 50;
/** If two checks are further apart than this, the excess is time without CPU, and does not count as silence. */
const countedMs = 2 * tickMs;
/** After this multiple of the requested silence it gives up: the result is not known. */
const patience = 8;

/** How long `afterSilence` may take at most. */
export const longestSilenceMs = (milliseconds: number): number => patience * milliseconds;

/** A prober's observation of a silence. */
export interface Silence {
  /** Milliseconds that passed. */
  passedMs: number;
  /** The part in which this process had CPU. */
  ownMs: number;
  /** The other side was silent for the requested time. Otherwise this process had too little CPU to know. */
  known: boolean;
}

/**
 * Calls back after this many milliseconds in which this process could have received data: time in which it got no CPU does not
 * count. Data that arrived meanwhile has been read by then, although Node runs timers first.
 *
 * @returns a function that cancels it
 */
export function afterSilence(milliseconds: number, act: (silence: Silence) => void): () => void {
  const started = performance.now();
  let last = started;
  let ownMs = 0;
  let pending: NodeJS.Immediate | undefined;
  const timer = setInterval(
    () => {
      const now = performance.now();
      ownMs += Math.min(now - last, countedMs);
      last = now;
      const passedMs = now - started;
      const known = ownMs >= milliseconds;
      if (!known && passedMs < longestSilenceMs(milliseconds)) return;
      clearInterval(timer);
      pending = setImmediate(() => act({ passedMs, ownMs, known }));
    },
    Math.min(tickMs, milliseconds),
  );
  return () => {
    clearInterval(timer);
    clearImmediate(pending);
  };
}

/** The result of an attempt that ended in silence, or in which this process could not listen long enough. */
export function silent(error: string, { passedMs, ownMs, known }: Silence) {
  if (known) return { verdict: "dropped" as const, error };
  const [own, passed] = [ownMs, passedMs].map(Math.round);
  return { verdict: "none" as const, undecided: `the prober had a processor for ${own} of ${passed} ms only` };
}
