import { describe, expect, it } from "vitest";
import { differenceOf, estimateMedian, estimateRatio, median, quantile } from "./estimate.ts";

describe("quantile()", () => {
  it("interpolates between neighbours", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5], 0.99)).toBe(5);
    expect(median([1, 2, 9])).toBe(2);
    expect(() => quantile([], 0.5)).toThrow("no values");
  });
});

describe("estimateMedian()", () => {
  it("holds the median in its interval, and gives the same one again", () => {
    const rounds = [10, 11, 12, 13, 9, 10.5, 11.5, 30];
    const estimate = estimateMedian(rounds);
    expect(estimate.value).toBe(11.25);
    expect(estimate.low).toBeLessThanOrEqual(11.25);
    expect(estimate.high).toBeLessThan(30); // one disturbed round does not make the interval
    expect(estimateMedian(rounds)).toEqual(estimate);
  });
});

describe("a ratio", () => {
  const around = (centre: number) => [-2, -1, 0, 1, 2, 0.5, -0.5].map((offset) => centre + offset);

  it("is a difference when its interval leaves 1 out", () => {
    expect(differenceOf(estimateRatio(around(70), around(100)), 7)).toBe("less");
    expect(differenceOf(estimateRatio(around(100), around(70)), 7)).toBe("more");
    expect(differenceOf(estimateRatio(around(100), around(100.3)), 7)).toBe("no difference");
  });

  it("is none with too few rounds, whatever they show", () => {
    expect(differenceOf(estimateRatio([50, 51], [100, 101]), 2)).toBe("no difference");
  });
});
