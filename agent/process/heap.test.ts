import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { GIVING_BACK_MS, keepHeapSmall } from "./heap.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("memory is given back for a while after the start, and again when the process holds much more than was left", () => {
  const flags: string[] = [];
  let resident = 300;
  const timer = keepHeapSmall(
    () => resident,
    (flag) => flags.push(flag),
  );
  const flagsAfter = (megabytes: number) => {
    resident = megabytes;
    vi.advanceTimersByTime(GIVING_BACK_MS);
    return flags.splice(0);
  };
  expect(flags.splice(0)).toEqual(["--heap-growing-percent=12", "--optimize-for-size"]);
  expect(flagsAfter(200)).toEqual(["--no-optimize-for-size"]);
  expect(flagsAfter(240)).toEqual([]);
  expect(flagsAfter(241)).toEqual(["--optimize-for-size"]);
  expect(flagsAfter(240), "what the process needs now is the new measure").toEqual(["--no-optimize-for-size"]);
  expect(flagsAfter(280)).toEqual([]);
  clearInterval(timer);
});
