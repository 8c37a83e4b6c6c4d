import fc from "fast-check";
import { expect, test } from "vitest";
import { changesBetween } from "./changes.ts";

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => ({ name })) as [object, object, object, object];

test("an item that was replaced in its place, removed or added is a change; one that moved is none", () => {
  expect(changesBetween([a, b, c], [a, d, c])).toEqual({ gone: [b], come: [d] });
  expect(changesBetween([a, b, c], [a, c])).toEqual({ gone: [b], come: [] });
  expect(changesBetween([a, b], [a, b, c])).toEqual({ gone: [], come: [c] });
  expect(changesBetween([a, b, c], [c, a, b])).toEqual({ gone: [], come: [] });
});

test("the changes are the difference of the two sets, whatever the order", () => {
  const items = Array.from({ length: 12 }, (_, index) => ({ index }));
  const lists = fc.shuffledSubarray(items);
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { gone, come } = changesBetween(before, after);
      expect(new Set(gone)).toEqual(new Set(before.filter((item) => !after.includes(item))));
      expect(new Set(come)).toEqual(new Set(after.filter((item) => !before.includes(item))));
      expect(gone.length + come.length).toBe(new Set([...gone, ...come]).size);
    }),
  );
});
