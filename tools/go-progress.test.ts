import { expect, test } from "vitest";
import { GoProgress, sizesOf } from "./go-progress.ts";

const sizes = new Map([
  ["a", 10],
  ["b", 30],
  ["c", 60],
]);

test("a package that is being compiled counts when others have begun, and linking at the end", () => {
  const progress = new GoProgress(sizes, 1);
  const shares = ["a", "b", "a/test", "c", "c"].map((path) => {
    progress.begun(path);
    return progress.share;
  });
  expect(shares[0]).toBe(0);
  expect(shares[1]).toBeGreaterThan(0);
  expect(shares[2]).toBe(shares[1]);
  expect((shares[3] ?? 0) / (shares[1] ?? 1)).toBeCloseTo(4);
  expect(shares[4]).toBeGreaterThan(0.8);
  expect(shares[4]).toBeLessThan(1);
});

test("nothing to compile is no progress, and no division by zero", () => {
  expect(new GoProgress(new Map(), 2).share).toBe(0);
});

test("only what has to be compiled is counted, with its Go sources", () => {
  const listed = [
    "fmt\t\t/go/fmt\tprint.go ",
    "net\tbuild ID mismatch\t/go/net\tdial.go ip.go cgo.go",
    "unsafe\tstale dependency: a\t/go/unsafe\t ",
    "",
  ].join("\n");
  expect([...sizesOf(listed, (file) => file.length)]).toEqual([
    ["net", "/go/net/dial.go".length + "/go/net/ip.go".length + "/go/net/cgo.go".length],
    ["unsafe", 0],
  ]);
});
