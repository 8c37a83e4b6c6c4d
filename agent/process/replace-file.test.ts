import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    throw new Error("ENOSPC");
  };
  expect(() => replaceFile(path, half)).toThrow("ENOSPC");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["state.json"]);
});
