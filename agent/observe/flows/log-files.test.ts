import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogFiles } from "./log-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flows-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const limits = { intervalSeconds: 1, maxFiles: 2, maxFileBytes: 10 };

test("a full file makes room for a new one, and files beyond the limit are removed", async () => {
  const files = new LogFiles(folder);
  expect(files.paths()).toEqual([]);
  writeFileSync(join(folder, "notes.txt"), "not ours");
  for (const text of ["one\n", "two\n", "three\n", "four four\n", "five five\n"]) await files.append(text, limits);
  expect(files.paths().map((path) => [basename(path), readFileSync(path, "utf8")])).toEqual([
    ["flows.log.2", "three\n"],
    ["flows.log.1", "four four\n"],
    ["flows.log", "five five\n"],
  ]);
  expect(statSync(files.paths()[0] as string).mode & 0o777).toBe(0o600);
});

test("a smaller limit removes files at the next rotation", async () => {
  const files = new LogFiles(folder);
  for (const text of ["1".repeat(10), "2".repeat(10), "3".repeat(10)]) await files.append(text, limits);
  await files.append("4".repeat(10), { ...limits, maxFiles: 1 });
  expect(files.paths().map((path) => basename(path))).toEqual(["flows.log.1", "flows.log"]);
});
