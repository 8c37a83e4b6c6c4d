import type { Estimate } from "../../report/results/figures.ts";
import { seeded } from "./random.ts";

const ascending = (left: number, right: number): number => left - right;

/**
 * The value below which the given share of values lies, interpolated between neighbours (type 7 of Hyndman and Fan, as in
 * R and NumPy). @param share 0 to 1 @throws RangeError without values
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values have no quantile");
  const sorted = [...values].sort(ascending);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.ceil(position)] as number;
  return low + (high - low) * (position - below);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values have no mean");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const resamples = 2000;

/**
 * A statistic of rounds with its 95 % confidence interval: the statistic of many samples drawn from the rounds with
 * replacement (percentile bootstrap). Rounds are drawn, not connections: those of one round share its disturbances.
 */
export function bootstrap<T>(rounds: readonly T[], statistic: (rounds: readonly T[]) => number, seed = 1): Estimate {
  const random = seeded(seed);
  const drawn = Array.from({ length: resamples }, () =>
    statistic(rounds.map(() => rounds[Math.floor(random() * rounds.length)] as T)),
  );
  return { value: statistic(rounds), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}

/**
 * One mode's figure over another's, from rounds that were measured next to each other: the median of the ratios within
 * each pair, so that slow changes during the measurement cancel out.
 */
export function pairedRatio(pairs: readonly { of: number; to: number }[], seed = 1): Estimate {
  return bootstrap(
    pairs.map(({ of, to }) => of / to),
    median,
    seed,
  );
}

/** The significant difference of a ratio: none if its interval contains 1. */
export function differenceOf({ low, high }: Estimate): "less" | "more" | "no difference" {
  if (high < 1) return "less";
  return low > 1 ? "more" : "no difference";
}

/** A bucket counts values from `from` up to, not including, `to`. */
export interface Bucket {
  from: number;
  to: number;
  count: number;
}

/** Counts values in buckets whose bounds grow by a tenth, from the lowest value to the highest; empty ones are left in. */
export function histogram(values: readonly number[]): Bucket[] {
  if (values.length === 0) return [];
  const growth = 1.1;
  const index = (value: number): number => Math.floor(Math.log(Math.max(value, 1)) / Math.log(growth));
  const bound = (step: number): number => Number((growth ** step).toFixed(1));
  const counts = new Map<number, number>();
  for (const value of values) counts.set(index(value), (counts.get(index(value)) ?? 0) + 1);
  const steps = [...counts.keys()];
  const [first, last] = [Math.min(...steps), Math.max(...steps)];
  return Array.from({ length: last - first + 1 }, (_, offset) => {
    const step = first + offset;
    return { from: bound(step), to: bound(step + 1), count: counts.get(step) ?? 0 };
  });
}
