import { openSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { libbpf } from "./libbpf.ts";

const LOCK_EX_NB = 2 | 4; // sys/file.h

/** Becomes the node's only writer: during a rolling update the old agent may still run for a moment. The lock is the
 * kernel's (flock(2)), so a killed agent leaves none behind. `waiting` is called once when another holds it. */
export async function becomeOnlyWriter(path: string, waiting: () => void): Promise<void> {
  const fd = openSync(path, "a", 0o600); // open until the process ends: that is what holds the lock
  let told = false;
  while (libbpf().flock(fd, LOCK_EX_NB) < 0) {
    if (!told) waiting();
    told = true;
    await setTimeout(200);
  }
}
