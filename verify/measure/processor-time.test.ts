import { expect, it } from "vitest";
import { parseProcessorTime, processorTime, spentBetween } from "./processor-time.ts";

it("sums what was worked, without idle, steal and guests", () => {
  const text = "cpu  100 20 300 4000 50 6 70 800 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
  expect(parseProcessorTime(text)).toEqual({ busy: 4.96, softirq: 0.7, idle: 40.5, steal: 8 });
});

it("gives the share that was stolen between two readings", () => {
  const zero = { busy: 0, softirq: 0, idle: 0, steal: 0 };
  expect(spentBetween(zero, { busy: 6, softirq: 1, idle: 3, steal: 1 })).toEqual({
    busy: 6,
    softirq: 1,
    idle: 3,
    steal: 1,
    stealShare: 0.1,
  });
  expect(spentBetween(zero, zero).stealShare).toBe(0);
});

it("reads this computer's", () => {
  expect(processorTime().busy).toBeGreaterThan(0);
});
