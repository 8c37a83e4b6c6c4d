import { expect, test } from "vitest";
import { Known } from "./known.ts";
import { Random } from "./random.ts";

const picks = (names: readonly string[]) => {
  const known = new Known<string>(50);
  for (const name of names) known.remember(name, name);
  const random = new Random(7);
  return Array.from({ length: 200 }, () => known.some(random));
};
const names = Array.from({ length: 20 }, (_, index) => `flow ${index}`);

test("nothing is known at first", () => {
  expect(new Known<string>(3).isEmpty).toBe(true);
  expect(() => new Known<string>(3).some(new Random(1))).toThrow("Nothing is known.");
});

test("one more changes only what continues it", () => {
  const [without, all] = [picks(names.slice(1)), picks(names)];
  const changed = all.filter((name, index) => name !== without[index]);
  expect(new Set(changed)).toEqual(new Set(["flow 0"]));
  expect(new Set(all).size).toBeGreaterThan(10);
});
