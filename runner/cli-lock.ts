import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { RunnerFailure } from "./failure.ts";
import type { Stack } from "./project.ts";
import { say } from "./terminal.ts";

/** A file of the Pulumi CLI's file backend, one for each run that uses a stack (pkg/backend/diy/lock.go). */
const lockFile = z.object({ pid: z.int().positive(), hostname: z.string(), timestamp: z.string() });

/**
 * Of a file backend: removes locks of runs that were ended, as by a reboot, which the CLI would respect for ever.
 * @throws RunnerFailure if a run uses the stack
 */
export function requireUnlocked(backend: string, { name, stack }: Pick<Stack, "name" | "stack">): void {
  const folder = /^file:\/\/(\/.*)$/.exec(backend)?.[1];
  if (folder === undefined) return;
  const locks = join(folder, ".pulumi", "locks", "organization", name, stack);
  for (const file of existsSync(locks) ? readdirSync(locks) : []) {
    const path = join(locks, file);
    const lock = readLock(path);
    // What another computer or another version of the CLI has written is for the CLI to judge.
    if (lock === undefined || lock.hostname !== hostname()) continue;
    const run = `process ${lock.pid}, since ${lock.timestamp.slice(0, 19).replace("T", " ")}`;
    if (isRunning(lock.pid))
      throw new RunnerFailure(`the Pulumi CLI is working on the stack ${stack} already (${run})`, {
        next: "wait until it ends, or end it, then run the same command again",
      });
    // The CLI keeps what it knows of a file beside it.
    for (const kept of [path, `${path}.attrs`]) rmSync(kept, { force: true });
    say(`A run of the Pulumi CLI on the stack ${stack} was ended before it finished (${run}): its lock is removed.`);
  }
}

function readLock(path: string): z.infer<typeof lockFile> | undefined {
  try {
    return lockFile.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** Whether a process of this computer is the Pulumi CLI; where its name is not told, whether there is such a process. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd() === "pulumi";
  } catch {
    return true;
  }
}
