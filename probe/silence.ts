/** How often it is looked whether this process has a processor. */
const tickMs = 50;
/** A look that comes later than this after the one before: what is beyond is time without a processor, and is no silence. */
const countedMs = 2 * tickMs;
/** After so many times the silence that was asked for it is given up: nothing can be told of the other side. */
const patience = 8;

/** How long `afterSilence` may take at most. */
export const longestSilenceMs = (milliseconds: number): number => patience * milliseconds;

/** What a prober can say of a silence. */
export interface Silence {
  /** Milliseconds that passed. */
  passedMs: number;
  /** The part in which this process had a processor. */
  ownMs: number;
  /** The other side was silent for as long as was asked. Otherwise this process had too little of a processor to know. */
  known: boolean;
}

/**
 * Calls back after so many milliseconds in which this process could have heard something: time in which it got no processor does not
 * count. What arrived in the meantime has been read by then: Node looks at timers first.
 *
 * @returns a function that calls it off
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

/** What an attempt shows that ended in silence, or that nobody could listen long enough. */
export function silent(error: string, { passedMs, ownMs, known }: Silence) {
  if (known) return { verdict: "dropped" as const, error };
  const [own, passed] = [ownMs, passedMs].map(Math.round);
  return { verdict: "none" as const, undecided: `the prober had a processor for ${own} of ${passed} ms only` };
}
