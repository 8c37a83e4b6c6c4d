import { expect, test } from "vitest";
import { finish } from "../steps.ts";
import { maglevTable, TABLE_BACKENDS, tableSize } from "./maglev.ts";

const backends = (count: number, first = 0) =>
  Array.from({ length: count }, (_, at) => ({
    name: `10.244.${(first + at) >> 8}.${(first + at) & 255} 80/tcp`,
    weight: 1,
  }));
const table = (of: ReturnType<typeof backends>) => finish(maglevTable(of)).map(({ name }) => name);
const shares = (entries: readonly string[]) =>
  [...Map.groupBy(entries, (name) => name).values()].map((all) => all.length);
/** Entries that went from one backend to another, although both are in both tables. */
function moved(before: readonly string[], after: readonly string[]): number {
  const [old, remain] = [new Set(before), new Set(after)];
  return before.filter((name, at) => remain.has(name) && after[at] !== name && old.has(after[at] ?? "")).length;
}

test("a table depends on the set of names, not on their order", () => {
  const all = backends(17);
  expect(table([...all].reverse())).toEqual(table(all));
  expect(table([...all].sort(() => 0.5 - Math.random()))).toEqual(table(all));
});

test("sizes are primes, at least 20 entries for each backend, and two only", () => {
  const isPrime = (value: number) =>
    Array.from({ length: Math.sqrt(value) | 0 }, (_, at) => at + 1).every((by) => by === 1 || value % by);
  const sizes = new Set(Array.from({ length: 3276 }, (_, at) => tableSize(at + 1)));
  expect([...sizes]).toEqual([4093, 65521]);
  for (const size of sizes) expect(isPrime(size), String(size)).toBe(true);
  for (const count of [1, 200, 201, 3276]) expect(tableSize(count) / count).toBeGreaterThanOrEqual(20);
  expect([tableSize(0), tableSize(3277), table(backends(3277)).length]).toEqual([0, 0, 0]);
  expect(TABLE_BACKENDS).toBe(3276);
});

test.each([1, 2, 3, 10, 100, 200, 201, 1000])("the shares of %i backends differ by one entry at most", (count) => {
  const all = shares(table(backends(count)));
  expect(all).toHaveLength(count);
  expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
});

test.each([
  [3, 0.05],
  [10, 0.05],
  [100, 0.05],
  [200, 0.05],
  [1000, 0.02],
])("when one of %i backends goes, or comes, few entries of the others change", (count, most) => {
  const all = backends(count);
  const whole = table(all);
  for (const gone of [0, count >> 1, count - 1]) {
    const rest = table(all.filter((_, at) => at !== gone));
    expect(moved(whole, rest) / whole.length).toBeLessThan(most);
    expect(moved(rest, whole) / whole.length).toBeLessThan(most);
  }
});

test("a backend's share follows its weight, and a change of one weight moves few entries between the others", () => {
  const heavy = (weight: number) => backends(10).map((one, at) => (at === 3 ? { ...one, weight } : one));
  const counts = Map.groupBy(table(heavy(5)), (name) => name);
  const own = counts.get("10.244.0.3 80/tcp")?.length ?? 0;
  expect(own / 4_093).toBeCloseTo(5 / 14, 2);
  for (const [name, { length }] of counts) if (name !== "10.244.0.3 80/tcp") expect(length / own).toBeCloseTo(1 / 5, 1);
  const [before, after] = [table(heavy(1)), table(heavy(5))];
  const between = before.filter((name, at) => name !== after[at] && after[at] !== "10.244.0.3 80/tcp").length;
  expect(between / before.length).toBeLessThan(0.1);
});
