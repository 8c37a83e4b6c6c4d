// Figures from repeated rounds: medians with 95 % confidence intervals by bootstrap (Efron 1979), and ratios of them.
import type { Estimate, Ratio } from "../results/figures.ts";

/** @param q from 0 to 1; between two values the line between them is taken. @throws RangeError without values */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError("no values, no quantile");
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] as number;
  const above = sorted[Math.ceil(position)] as number;
  return below + (above - below) * (position - Math.floor(position));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

const RESAMPLES = 2000;

/** The median of rounds, with its interval. The same rounds always give the same interval. */
export function estimateMedian(rounds: readonly number[]): Estimate {
  const random = randomNumbers();
  const medians = Array.from({ length: RESAMPLES }, () => median(resample(rounds, random)));
  return interval(median(rounds), medians);
}

/** The ratio of two medians; rounds of both were interleaved, but are not pairs: some may have been set aside. */
export function estimateRatio(of: readonly number[], to: readonly number[]): Estimate {
  const random = randomNumbers();
  const ratio = (a: readonly number[], b: readonly number[]) => median(a) / median(b);
  const ratios = Array.from({ length: RESAMPLES }, () => ratio(resample(of, random), resample(to, random)));
  return interval(ratio(of, to), ratios);
}

/** Fewer rounds than this cannot show a difference: their interval says nothing. */
export const LEAST_ROUNDS = 5;

/** What may be said of a ratio: a difference only where the interval does not hold 1, and rounds were enough. */
export function differenceOf({ low, high }: Estimate, rounds: number): Ratio["difference"] {
  if (rounds < LEAST_ROUNDS || (low <= 1 && high >= 1)) return "no difference";
  return high < 1 ? "less" : "more";
}

function interval(value: number, resampled: readonly number[]): Estimate {
  return { value, low: quantile(resampled, 0.025), high: quantile(resampled, 0.975) };
}

function resample(values: readonly number[], random: () => number): number[] {
  return values.map(() => values[Math.floor(random() * values.length)] as number);
}

/** Numbers from 0 to 1, the same in every run: mulberry32. */
function randomNumbers(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
