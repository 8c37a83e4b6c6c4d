import { existsSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { libbpf } from "./libbpf.ts";

const LOCK_EX_NB = 2 | 4; // sys/file.h

/** Makes this process the node's only writer: during a rolling update the old agent may still run for a moment. The lock is the
 * kernel's (flock(2)), so a killed agent leaves none behind. `waiting` is called once when another process holds it. */
export async function becomeOnlyWriter(path: string, waiting: () => void): Promise<void> {
  const fd = openToLock(path); // stays open until the process ends: the descriptor holds the lock
  let told = false;
  while (libbpf().flock(fd, LOCK_EX_NB) < 0) {
    if (!told) waiting();
    told = true;
    await setTimeout(200);
  }
}

/** On a full or read-only file system, locks the existing file, or its folder if there is no file. */
function openToLock(path: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EROFS" && code !== "ENOSPC") throw error;
    return openSync(existsSync(path) ? path : dirname(path), "r");
  }
}
