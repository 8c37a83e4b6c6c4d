import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Keeps processes on one processor. Where client and server share one, a connection's time is the sum of all the work it
 * takes, without the time in which one processor wakes another, which on virtual computers is long and uneven.
 * @returns a function that removes the restriction
 */
export function keepOn(processor: number, pids: number[]): () => void {
  const before = pids.map((pid) => ({
    pid,
    list: /^Cpus_allowed_list:\s*(\S+)/m.exec(textOf(`/proc/${pid}/status`))?.[1],
  }));
  for (const pid of pids) setAffinity(pid, String(processor));
  return () => {
    for (const { pid, list } of before) if (list) setAffinity(pid, list);
  };
}

function setAffinity(pid: number, list: string): void {
  try {
    execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", list, String(pid)], {
      stdio: "pipe",
      timeout: 10_000,
    });
  } catch {
    // It has exited meanwhile.
  }
}

/** Empty for a process that has ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
