import type { Estimate } from "../results/figures.ts";

/** Digits that a figure bears, grouped in thousands. */
export function figure(value: number, digits = value < 10 ? 2 : value < 100 ? 1 : 0): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `0.80 (0.79 to 0.82)`. */
export function withSpread({ value, low, high }: Estimate, digits?: number): string {
  return `${figure(value, digits)} (${figure(low, digits)} to ${figure(high, digits)})`;
}

/** `21 November 2026, 14:05 UTC`. */
export function moment(iso: string): string {
  const date = new Date(iso);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** `a, b and c`. */
export function listed(words: string[]): string {
  return new Intl.ListFormat("en-GB", { type: "conjunction" }).format(words);
}

/** What the quantities of ratios are called. */
export function quantityName(quantity: string): string {
  return (
    {
      medianUs: "median connection time",
      medianSpreadUs: "median connection time",
      meanUs: "mean connection time",
      p10Us: "10th percentile of connection time",
      p99Us: "99th percentile of connection time",
      cpuUsPerConnection: "CPU time per connection",
      processUsPerConnection: "CPU time of the machines' processes per connection",
      requestUs: "median time of a request on a kept connection",
      processUsPerRequest: "CPU time of the machines' processes per request on a kept connection",
      cpuSecondsPerGbit: "CPU time per gigabit",
      ownCpuSecondsPerGbit: "CPU time per gigabit of the two machines",
      gbitPerSecond: "throughput",
      programmingSeconds: "time to program a change",
    }[quantity] ?? quantity
  );
}
