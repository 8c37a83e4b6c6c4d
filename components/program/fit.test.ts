import fc from "fast-check";
import { expect, test } from "vitest";
import { hanging, sharedWidths, wrapped } from "./fit.ts";

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

test("what is broken off stands below the column that it belongs to", () => {
  expect(hanging("     chosen   backend 10.0.0.1:80 (pod a/b) on node c", 40)).toBe(
    "     chosen   backend 10.0.0.1:80 (pod\n              a/b) on node c",
  );
  expect(hanging("  tier default: deny, by no rule\nshort", 20)).toBe("  tier default:\n    deny, by no rule\nshort");
  // Colours take no place, and a word without a break stays whole, to be copied.
  expect(hanging("a \x1b[31mbb\x1b[39m c", 6)).toBe("a \x1b[31mbb\x1b[39m c");
  expect(hanging(`on ${"x".repeat(30)}`, 20)).toBe(`on\n  ${"x".repeat(30)}`);
  expect(hanging("a b c", undefined)).toBe("a b c");
});
