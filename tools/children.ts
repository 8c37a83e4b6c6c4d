// Programs that run for long, and end with this one: a signal that a person or another program sends to this process alone reaches them and
// what they started.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";

const running = new Set<ChildProcess>();

/** How long a program has to clean up before it is killed, ms. */
const PATIENCE_MS = 120_000;
const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function startChild(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  if (running.size === 0) for (const signal of ENDINGS) process.on(signal, end);
  const child = spawn(command, args, options);
  running.add(child);
  child.once("close", () => {
    running.delete(child);
    if (running.size === 0) for (const signal of ENDINGS) process.off(signal, end);
  });
  return child;
}

function end(signal: NodeJS.Signals): void {
  const children = [...running];
  const ended = Promise.all(children.map((child) => once(child, "close")));
  const family = withDescendants(children.flatMap(({ pid }) => pid ?? []));
  // A shell's background commands ignore SIGINT.
  for (const pid of family) tell(pid, "SIGTERM");
  setTimeout(() => {
    for (const pid of family) tell(pid, "SIGKILL");
  }, PATIENCE_MS).unref();
  void ended.finally(() => process.exit(128 + constants.signals[signal]));
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

/** The processes, and all that these have started and that still run. */
function withDescendants(pids: readonly number[]): number[] {
  const parents = parentsOfAll();
  const found = new Set(pids);
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.add(child);
  return [...found];
}

/** proc(5): the parent's number is the second word after the name, which may have spaces and parentheses. */
function parentsOfAll(): [pid: number, parent: number][] {
  return readdirSync("/proc").flatMap((name): [number, number][] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      return [[Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])]];
    } catch {
      return []; // it has ended
    }
  });
}
