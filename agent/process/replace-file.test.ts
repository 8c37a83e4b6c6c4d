import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { replaceFile } from "./replace-file.ts";

test("a file is replaced whole; one that cannot be written keeps its content and leaves no draft", () => {
  const folder = mkdtempSync(join(tmpdir(), "replace-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "state.json");
  replaceFile(path, (draft) => writeFileSync(draft, "old"));
  const half = (draft: string) => {
    writeFileSync(draft, "ne");
    throw new Error("half");
  };
  expect(() => replaceFile(path, half)).toThrow(
    `cannot write ${path}: half. Next: see what its folder on the node allows`,
  );
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["state.json"]);
});

test("on a full disk the file is named, with the next step", () => {
  const folder = mkdtempSync(join(tmpdir(), "replace-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "state.json");
  // A disk without any room (null(4)).
  symlinkSync("/dev/full", `${path}.new`);
  expect(() => replaceFile(path, (draft) => writeFileSync(draft, "x"))).toThrow(
    `cannot write ${path}: its disk is full. Next: free space there`,
  );
  expect(readdirSync(folder)).toEqual([]);
});
