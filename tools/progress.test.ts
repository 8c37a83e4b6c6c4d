import { expect, test } from "vitest";
import { ahead, expectation } from "./progress.ts";

test.each([
  [{ seconds: 600, basis: "guessed" }, "a guess, not measured here: 10 min 00 s"],
  [{ seconds: 431, basis: "measured" }, "7 min 11 s the last time"],
] as const)("expectation(%j) says whether it was measured", (estimate, text) =>
  expect(expectation(estimate)).toBe(text),
);

test.each([
  [130, "kube: 2 min 10 s, about 7 min 50 s left"],
  [601, "kube: 10 min 01 s, longer than the 10 min 00 s expected"],
])("ahead() after %d s", (seconds, text) =>
  expect(ahead("kube", seconds, { seconds: 600, basis: "guessed" })).toBe(text),
);
