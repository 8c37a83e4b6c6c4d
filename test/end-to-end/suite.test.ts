import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runSuite } from "./suite.ts";

const folder = mkdtempSync(join(tmpdir(), "end-to-end-"));
afterAll(() => rmSync(folder, { recursive: true }));

function running(name: string, script: string, quietMinutes: number) {
  const progress = join(folder, `${name}.jsonl`);
  writeFileSync(progress, "");
  const heard: string[] = [];
  const log = join(folder, `${name}.txt`);
  const command = ["sh", "-c", script, "sh", progress];
  const ended = runSuite({ command, cwd: folder, log, progress, quietMinutes, told: (text) => heard.push(text) });
  return { ended, heard, log };
}

test("every line is told, also the last one, and what the suite prints is kept", async () => {
  const { ended, heard, log } = running("whole", 'echo says; echo one >>"$1"; echo two >>"$1"; exit 1', 60);
  expect(await ended).toBeUndefined();
  expect(heard.at(-1)).toBe("one\ntwo\n");
  expect(readFileSync(log, "utf8")).toBe("says\n");
});

test("a suite of which nothing is heard any more is ended with everything that it has started, and it can clean up", async () => {
  const script = `trap 'echo cleaned >>"$1"; exit 1' INT; sleep 3600 & wait; wait`;
  const { ended, heard } = running("silent", script, 0.001);
  expect(await ended).toMatch(/^no spec has ended for/);
  expect(heard.at(-1)).toBe("cleaned\n");
});

test("a program that does not exist is named", async () => {
  const progress = join(folder, "none.jsonl");
  writeFileSync(progress, "");
  const command = ["/nowhere/ginkgo"];
  const run = runSuite({ command, cwd: folder, log: join(folder, "none"), progress, quietMinutes: 1, told: () => {} });
  await expect(run).rejects.toThrow('Cannot run "/nowhere/ginkgo"');
});
