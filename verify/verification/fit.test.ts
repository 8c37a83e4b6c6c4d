import fc from "fast-check";
import { expect, test } from "vitest";
import { sharedWidths, wrapped } from "./fit.ts";

test("narrow columns keep what they need, and the others share the rest", () => {
  expect(sharedWidths([4, 30, 30, 10], 60)).toEqual([4, 23, 23, 10]);
  expect(sharedWidths([4, 30, 30, 10], 200)).toEqual([4, 30, 30, 10]);
});

test("a text is broken at spaces, a long word behind a separator", () => {
  expect(wrapped("allowed from client1", 12)).toBe("allowed from\nclient1");
  expect(wrapped("tcp://service/dataplane-check/web:80", 18)).toBe("tcp://service/\ndataplane-check/\nweb:80");
  expect(wrapped("a\nb", 10)).toBe("a\nb");
  expect(wrapped("x".repeat(7), 3)).toBe("xxx\nxxx\nx");
  // As long as a server's answer may be.
  expect(wrapped("x".repeat(400_000), 3).split("\n")).toHaveLength(133_334);
});

test("no line is longer than the width, and no character is lost", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "b", "/", ":", " ", "-") }),
      fc.integer({ min: 1, max: 20 }),
      (text, width) => {
        const lines = wrapped(text, width).split("\n");
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
      },
    ),
  );
});
