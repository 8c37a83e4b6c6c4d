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
  [599.9, "kube: 10 min 00 s, almost done"],
  [601, "kube: 10 min 01 s, longer than the 10 min 00 s expected"],
])("ahead() after %d s", (seconds, text) =>
  expect(ahead("kube", seconds, { seconds: 600, basis: "guessed" })).toBe(text),
);

test.each([
  [{ share: 0.01, since: 10 }, "kube: 1 min 50 s, about 8 min 10 s left"],
  [{ share: 0.25, since: 10 }, "kube: 1 min 50 s, 25 % done, about 5 min 00 s left"],
  [{ share: 0.1, since: 10 }, "kube: 1 min 50 s, 10 % done, about 15 min 00 s left"],
  [{ share: 0.5, since: 109 }, "kube: 1 min 50 s, about 8 min 10 s left"],
  [{ share: 0.999, since: 10 }, "kube: 1 min 50 s, 99 % done, almost done"],
])("ahead() of a step that says what is done: %j", (heard, text) =>
  expect(ahead("kube", 110, { seconds: 600, basis: "guessed" }, heard)).toBe(text),
);
