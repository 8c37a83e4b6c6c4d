import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keptSalt } from "./salt.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "salt-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a node keeps its salt, readable only by root", () => {
  const file = join(folder, "salt");
  const salt = keptSalt(file);
  expect(keptSalt(file)).toBe(salt);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(keptSalt(join(folder, "another"))).not.toBe(salt);
});

test("a damaged salt, and one that cannot be saved, is replaced", () => {
  const file = join(folder, "salt");
  writeFileSync(file, "");
  expect(keptSalt(file)).toHaveLength(32);
  expect(keptSalt(file)).toBe(keptSalt(file));
  expect(keptSalt(join(folder, "missing", "salt"))).toHaveLength(32);
});
