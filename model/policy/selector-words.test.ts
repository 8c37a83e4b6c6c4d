import fc from "fast-check";
import { expect, test } from "vitest";
import { entitySelector } from "./calico-endpoints.ts";
import { SelectorWords } from "./selector-words.ts";
import type { Who, WorkloadSelector } from "./workload-selector.ts";

const selectors = ["a == 'x'", "a == 'y'", "has(b)", "!has(b)", "a in {'x', 'y'}", "b == 'x' && a == 'x'"].map(
  (selector) =>
    entitySelector(
      { selector, notSelector: undefined, namespaceSelector: undefined, serviceAccounts: undefined },
      undefined,
    ) as WorkloadSelector,
);
const everybody: Who[] = [{}, { a: "x" }, { a: "y" }, { b: "x" }, { a: "x", b: "x" }, { a: "z", b: "y" }].map(
  (labels) => ({ kind: "pod", labels: labels as Record<string, string> }),
);
const named = (some: readonly WorkloadSelector[]) => new Map(some.map((selector) => [selector.text, selector]));

test("words of a vocabulary after others are those that it would have alone", () => {
  const round = fc.tuple(fc.subarray(selectors), fc.subarray(everybody));
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 6 }), (rounds) => {
      const words = new SelectorWords();
      for (const [some, asked] of rounds) {
        words.update(named(some));
        for (const who of asked) {
          const alone = some.filter((selector) => selector.selects(who)).map(({ text }) => text);
          expect([...words.of(who)].sort()).toEqual(alone.sort());
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("the list of whom no other selector means is the same object", () => {
  const words = new SelectorWords();
  const [first, second] = selectors as [WorkloadSelector, WorkloadSelector];
  words.update(named([first]));
  const [x, y] = [words.of(everybody[1] as Who), words.of(everybody[2] as Who)];
  words.update(named([first, second]));
  expect(words.of({ ...(everybody[1] as Who) })).toBe(x);
  expect(words.of(everybody[2] as Who)).not.toBe(y);
});
