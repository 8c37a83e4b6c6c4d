import { expect, test } from "vitest";
import { firstFew } from "./first-few.ts";

test.each([
  [["a"], "a"],
  [["a", "b", "c"], "a, b, c"],
  [["a", "b", "c", "d", "e"], "a, b, c and 2 more"],
])("%j in words: %s", (names, words) => {
  expect(firstFew(names)).toBe(words);
});
