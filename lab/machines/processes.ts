import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** Identifies a process uniquely: after it ends, another process can get its pid. */
export interface ProcessIdentity {
  pid: number;
  start: string;
}

/** The process's start time (proc_pid_stat(5), field 22), or undefined if it does not exist or is a zombie. */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the command in parentheses and can contain any characters; count from the end of it.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessIdentity | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : { pid, start };
}

export const isAlive = ({ pid, start }: ProcessIdentity): boolean => startOf(pid) === start;

/** A process's numbers in the PID namespaces from this one to its own (proc_pid_status(5), NSpid); none: it has ended. */
function numbersOf(pid: number): number[] {
  try {
    const [, numbers] = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return numbers?.trim().split(/\s+/).map(Number) ?? [];
  } catch {
    return [];
  }
}

/** Whether a process is the first of its PID namespace, directly below this one: a machine's first process. */
export function isFirstOfNamespace(pid: number): boolean {
  const [, own, ...deeper] = numbersOf(pid);
  return own === 1 && deeper.length === 0;
}

/** Whether a process is two PID namespaces below this one or more: a pod's, or of a machine that a container of this computer made. */
export const isDeepInside = (pid: number): boolean => numbersOf(pid).length > 2;

/** Processes whose network namespace is one of these names below /run/netns. */
export function processesInNamespaces(names: string[]): number[] {
  if (names.length === 0) return [];
  const inodes = new Set(names.map((name) => `net:[${statSync(`/run/netns/${name}`).ino}]`));
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        return false; // has ended
      }
    });
}

/** Kills processes and waits until they are gone. @returns those that still run after the timeout (milliseconds). */
export async function killAll(find: () => number[], timeout = 10_000): Promise<number[]> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const alive = find().filter((pid) => pid !== process.pid && startOf(pid) !== undefined);
    if (alive.length === 0 || Date.now() > deadline) return alive;
    for (const pid of alive) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // has ended
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
