import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { DurationBook, spoken } from "./durations.ts";

const folder = mkdtempSync(join(tmpdir(), "durations-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("DurationBook guesses until a step was measured", () => {
  const book = new DurationBook(join(folder, "book.json"));
  expect(book.estimate("kube", 600)).toEqual({ seconds: 600, basis: "guessed" });
  book.record("kube", 431.26, 600);
  book.record("bpf", 1, 1);
  expect(book.estimate("kube", 600)).toEqual({ seconds: 431.3, basis: "measured" });
});

test("a guess is scaled by the speed of the steps before it", () => {
  const book = new DurationBook(join(folder, "scaled.json"));
  book.record("bpf", 12, 4);
  expect(book.estimate("kube", 600).seconds).toBe(600); // too short to tell
  book.record("cni", 48, 16);
  expect(book.estimate("kube", 600)).toEqual({ seconds: 1800, basis: "guessed" });
  book.record("coredns", 0.4, 40); // all of it was in Go's cache
  expect(book.estimate("kube", 600).seconds).toBe(1800);
  expect(book.estimate("coredns", 40)).toEqual({ seconds: 120, basis: "guessed" });
  book.record("cni", 0.2, 16);
  expect(book.estimate("cni", 16)).toEqual({ seconds: 48, basis: "measured" });
});

test.each(["", "[", "null", '{"kube":"long"}'])("DurationBook starts empty when its file contains %j", (content) => {
  const file = join(folder, "broken.json");
  writeFileSync(file, content);
  const book = new DurationBook(file);
  expect(book.estimate("kube", 600).basis).toBe("guessed");
  book.record("kube", 2, 2);
  expect(book.estimate("kube", 600)).toEqual({ seconds: 2, basis: "measured" });
});

test.each([
  [0.44, "0.4 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [545, "9 min 05 s"],
])("spoken(%d) is %s", (seconds, text) => expect(spoken(seconds)).toBe(text));
