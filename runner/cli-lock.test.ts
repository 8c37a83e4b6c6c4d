import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { requireUnlocked } from "./cli-lock.ts";

const stack = { name: "app", stack: "dev" };
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "locks-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As the CLI writes it. */
function locked(pid: number, by = hostname(), of = "dev"): string {
  const path = join(folder, ".pulumi", "locks", "organization", "app", of, "8a7c.json");
  mkdirSync(dirname(path), { recursive: true });
  const timestamp = "2026-11-30T14:19:06.123456789Z";
  writeFileSync(path, JSON.stringify({ pid, username: "root", hostname: by, timestamp }));
  return path;
}
/** The id of a process that has ended. */
const ended = (): number => spawnSync("true").pid;

test("the lock of a run that was ended is removed, and of its stack alone", () => {
  const [own, others] = [locked(ended()), locked(ended(), hostname(), "other")];
  requireUnlocked(`file://${folder}`, stack);
  expect([own, others].map((path) => existsSync(path))).toEqual([false, true]);
});

test("a lock of another computer, or one that cannot be read, is left to the CLI", () => {
  const path = locked(ended(), "elsewhere");
  requireUnlocked(`file://${folder}`, stack);
  writeFileSync(path, "{");
  requireUnlocked(`file://${folder}`, stack);
  expect(existsSync(path)).toBe(true);
});

test("a backend that is no folder, or has no locks, is in use by nobody that could be told here", () => {
  for (const backend of ["https://api.example.com", "s3://bucket", "file://~", `file://${folder}`])
    expect(() => requireUnlocked(backend, stack)).not.toThrow();
});

test("a run that goes on is named, with the next step; another program that was given the id of an ended one is none", async () => {
  // After a reboot the id may be anybody's: here this test's own.
  const path = locked(process.pid);
  requireUnlocked(`file://${folder}`, stack);
  expect(existsSync(path)).toBe(false);
  const cli = join(folder, "pulumi");
  copyFileSync("/bin/sleep", cli);
  const running = spawn(cli, ["600"], { stdio: "ignore" });
  try {
    await new Promise((resolve) => running.once("spawn", resolve));
    locked(running.pid ?? 0);
    expect(() => requireUnlocked(`file://${folder}`, stack)).toThrow(
      `the Pulumi CLI is working on the stack dev already (process ${running.pid}, since 2026-11-30 14:19:06)`,
    );
    expect(existsSync(path)).toBe(true);
  } finally {
    running.kill();
  }
});
