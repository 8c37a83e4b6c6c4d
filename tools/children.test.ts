import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = `
const { startChild } = await import(${JSON.stringify(join(import.meta.dirname, "children.ts"))});
startChild("sh", ["-c", "sleep 1000 & echo $!; wait"], { stdio: ["ignore", "inherit", "inherit"] });
`;

/** One that nobody has waited for yet has ended too. */
const isThere = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
};

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s for the program alone ends what its children started",
  async (signal) => {
    const words = ["--no-warnings", "--input-type=module", "--eval", PROGRAM];
    const program = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(program.stdout, "data")) as [Buffer];
    const grandchild = Number(line.toString());
    onTestFinished(() => {
      if (isThere(grandchild)) process.kill(grandchild, "SIGKILL");
    });
    expect(isThere(grandchild)).toBe(true);
    const ended = once(program, "exit");
    program.kill(signal);
    expect(await ended).toEqual([{ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal], null]);
    await expect.poll(() => isThere(grandchild)).toBe(false);
  },
);
