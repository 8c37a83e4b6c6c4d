import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { workingSet } from "./memory.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function cgroup(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "cgroup-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test.each([
  ["v1", { "memory.usage_in_bytes": "900\n", "memory.stat": "inactive_file 1\ntotal_inactive_file 300\n" }, 600],
  ["v2", { "memory.current": "900\n", "memory.stat": "anon 5\ninactive_file 200\n" }, 700],
  ["a hierarchy without a memory controller", { "cgroup.procs": "" }, undefined],
])("workingSet() of cgroup %s is what is used without files that the kernel can drop", (_, files, bytes) => {
  expect(workingSet("any", [cgroup({}), cgroup(files)])).toBe(bytes);
});
