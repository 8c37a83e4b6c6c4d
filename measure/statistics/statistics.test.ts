import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PortsUsedUp, portsPerAddress, SourcePorts } from "../load/ports.ts";
import { balancedOrder } from "./order.ts";
import { seeded, shuffled } from "./random.ts";
import { bootstrap, differenceOf, histogram, mean, median, pairedRatio, quantile } from "./statistics.ts";

const values = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
const share = fc.double({ min: 0, max: 1, noNaN: true });

describe("quantiles", () => {
  it.each([
    [[1, 2, 3, 4], 0.5, 2.5],
    [[4, 1, 3, 2], 0, 1],
    [[1, 2, 3, 4], 1, 4],
    [[10], 0.99, 10],
    [[0, 10], 0.25, 2.5],
  ])("of %j at %d is %d", (list, at, expected) => expect(quantile(list, at)).toBe(expected));

  it("lie between the least and the greatest value, and grow with the share", () =>
    fc.assert(
      fc.property(values, share, share, (list, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(quantile(list, low)).toBeLessThanOrEqual(quantile(list, high));
        expect(quantile(list, low)).toBeGreaterThanOrEqual(Math.min(...list));
        expect(quantile(list, high)).toBeLessThanOrEqual(Math.max(...list));
      }),
    ));

  it("of nothing are refused", () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => mean([])).toThrow(RangeError);
  });
});

describe("a bootstrap", () => {
  it("is the same for the same seed, and holds its value for a median", () =>
    fc.assert(
      fc.property(values, fc.nat(), (list, seed) => {
        const estimate = bootstrap(list, median, seed);
        expect(bootstrap(list, median, seed)).toEqual(estimate);
        expect(estimate.low).toBeLessThanOrEqual(estimate.high);
        expect(estimate.value).toBe(median(list));
      }),
      { numRuns: 20 },
    ));

  it("has no width when all rounds agree", () =>
    expect(bootstrap([7, 7, 7], mean)).toEqual({ value: 7, low: 7, high: 7 }));

  it("covers the truth about as often as it says", () => {
    const random = seeded(42);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const covered = Array.from({ length: 100 }, () => {
      const { low, high } = bootstrap(Array.from({ length: 30 }, normal), mean, Math.floor(random() * 1e9));
      return low <= 0 && high >= 0;
    }).filter(Boolean).length;
    expect(covered).toBeGreaterThan(85);
  });
});

describe("a ratio of paired rounds", () => {
  it("does not see what both of a pair share", () => {
    const drift = Array.from({ length: 20 }, (_, index) => 100 * 1.2 ** index);
    const estimate = pairedRatio(drift.map((to) => ({ of: 0.8 * to, to })));
    expect(estimate.value).toBeCloseTo(0.8);
    expect(estimate.high - estimate.low).toBeLessThan(0.001);
    expect(differenceOf(estimate)).toBe("less");
  });

  it.each([
    [{ value: 0.9, low: 0.8, high: 0.99 }, "less"],
    [{ value: 0.9, low: 0.8, high: 1 }, "no difference"],
    [{ value: 1.1, low: 0.99, high: 1.2 }, "no difference"],
    [{ value: 1.1, low: 1.01, high: 1.2 }, "more"],
  ])("%j is said to be: %s", (estimate, said) => expect(differenceOf(estimate)).toBe(said));
});

describe("a histogram", () => {
  it("counts every value once, in buckets without gaps that hold it", () =>
    fc.assert(
      fc.property(values, (list) => {
        const buckets = histogram(list);
        expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(list.length);
        for (const [index, { from }] of buckets.entries()) if (index > 0) expect(from).toBe(buckets[index - 1]?.to);
        expect(buckets[0]?.count).toBeGreaterThan(0);
        expect(buckets.at(-1)?.count).toBeGreaterThan(0);
      }),
    ));
});

describe("the order of modes", () => {
  const modes = fc
    .integer({ min: 1, max: 6 })
    .map((count) => Array.from({ length: count }, (_, index) => `mode${index}`));

  it("has every mode once in every round, and is the same for the same seed", () =>
    fc.assert(
      fc.property(modes, fc.integer({ min: 0, max: 30 }), fc.nat(), (names, rounds, seed) => {
        const order = balancedOrder(names, rounds, seed);
        expect(order).toHaveLength(rounds);
        for (const row of order) expect([...row].sort()).toEqual(names);
        expect(balancedOrder(names, rounds, seed)).toEqual(order);
      }),
    ));

  it.each([2, 3, 4, 5, 6])("with %i modes is balanced: places and predecessors", (count) => {
    const names = Array.from({ length: count }, (_, index) => `mode${index}`);
    const square = balancedOrder(names, count % 2 === 0 ? count : 2 * count, 7);
    const tally = (keys: string[]) =>
      new Set(Object.values(Object.groupBy(keys, (key) => key)).map((group) => group?.length));
    expect(tally(square.flatMap((row) => row.map((mode, place) => `${mode} ${place}`))).size).toBe(1);
    const neighbours = square.flatMap((row) => row.slice(1).map((mode, place) => `${row[place]} ${mode}`));
    expect(tally(neighbours).size).toBe(1);
    expect(new Set(neighbours).size).toBe(count * (count - 1));
  });

  it("shuffles without losing anything", () =>
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.nat(), (items, seed) => {
        expect(shuffled(items, seeded(seed)).sort()).toEqual([...items].sort());
      }),
    ));
});

describe("source ports", () => {
  it("are given out once, until there are none", () => {
    const ports = new SourcePorts();
    expect(ports.take(500)).toBe(1024);
    expect(ports.take(1)).toBe(1524);
    expect(ports.take(portsPerAddress - 501)).toBe(1525);
    expect(() => ports.take(1)).toThrow(PortsUsedUp);
  });
});
