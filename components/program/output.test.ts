import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = `
const { keepOutput } = await import(${JSON.stringify(join(import.meta.dirname, "output.ts"))});
keepOutput();
process.stdin.once("data", () => process.stdout.write("x".repeat(1_000_000), () => setTimeout(() => process.exit(3))));
`;

/** What becomes of a program that writes when it is told to. */
function writing(stdout: "pipe" | number) {
  const words = ["--no-warnings", "--input-type=module", "--eval", PROGRAM];
  const child = spawn(process.execPath, words, { stdio: ["pipe", stdout, "pipe"] });
  const ended = Promise.all([once(child, "close"), text(child.stderr as Readable)]);
  return {
    stdout: child.stdout,
    write: async () => {
      child.stdin?.end("now");
      const [[status], stderr] = await ended;
      return { status, stderr };
    },
  };
}

test("a reader that goes away is no failure of the program", async () => {
  const { stdout, write } = writing("pipe");
  stdout?.destroy();
  expect(await write()).toEqual({ status: 3, stderr: "" });
});

test.skipIf(!existsSync("/dev/full"))("a full disk is one, in a sentence", async () => {
  const full = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(full));
  const { status, stderr } = await writing(full).write();
  expect(stderr).toMatch(/^the output cannot be written: ENOSPC.*\n$/);
  expect(status).toBe(1);
});
