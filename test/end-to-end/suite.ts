// Runs the suite's processes side by side, and tells of each spec that has ended.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setInterval } from "node:timers";

export interface SuiteRun {
  command: string[];
  cwd: string;
  /** File of everything that the processes print. */
  log: string;
  /** File to which they add a line for each spec (tools/end-to-end/progress.go). */
  progress: string;
  /** The run is ended when no spec has ended for so long. Specs end by themselves, but a busy computer needs more time for all of them. */
  quietMinutes: number;
  /** Hears the text of `progress` when it has grown. */
  told: (text: string) => void;
}

/** @returns why the run ended early; undefined: by itself */
export function runSuite({ command, cwd, log, progress, quietMinutes, told }: SuiteRun): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const output = openSync(log, "w");
  const [program = "", ...args] = command;
  // A group of its own, so that a signal reaches all of its processes, whoever sends it.
  const child = spawn(program, args, { cwd, stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  let endedEarly: string | undefined;
  /** ginkgo cleans up after the first signal, and is ended by the second. */
  const end = (why: string) => {
    endedEarly ??= why;
    try {
      process.kill(-(child.pid as number), "SIGINT");
    } catch {} // it has just ended
  };
  const stop = () => end("stopped by a signal");
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, stop);

  let size = 0;
  let grownAt = Date.now();
  const look = () => {
    const text = readFileSync(progress, "utf8");
    if (text.length > size) {
      size = text.length;
      grownAt = Date.now();
      told(text);
    } else if (endedEarly === undefined && Date.now() - grownAt > quietMinutes * 60_000)
      end(`no spec has ended for ${quietMinutes} minutes`);
  };
  const timer = setInterval(look, 1000);
  const settle = () => {
    clearInterval(timer);
    for (const signal of signals) process.off(signal, stop);
  };
  child.on("error", (error) => {
    settle();
    reject(new Error(`Cannot run "${program}": ${error.message}`));
  });
  child.on("close", () => {
    settle();
    look();
    resolve(endedEarly);
  });
  return promise;
}
