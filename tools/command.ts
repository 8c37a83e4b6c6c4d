// Runs one command of a build step: quiet when it succeeds, with its own last words when it fails.
import { spawn } from "node:child_process";

export interface CommandOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Default: 1800. A command that takes longer is ended, and counts as failed. */
  timeoutSeconds?: number;
}

/** Lines of a failed command's output that are shown. */
const LAST_LINES = 40;

/**
 * Runs a command to its end.
 * @returns what it printed on standard output
 * @throws Error naming the command, how it ended and the last lines it printed
 */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: (options.timeoutSeconds ?? 1800) * 1000,
    killSignal: "SIGKILL",
  });
  const printed: Buffer[] = [];
  const stdout: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout.push(chunk);
    printed.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => printed.push(chunk));
  const line = [command, ...args].join(" ");
  child.on("error", (error) => reject(new Error(`Cannot run "${line}": ${error.message}`)));
  child.on("close", (status, signal) => {
    if (status === 0) return resolve(Buffer.concat(stdout).toString());
    const ending = signal ? `was ended by ${signal}` : `ended with status ${status}`;
    const words = Buffer.concat(printed).toString().trimEnd().split("\n").slice(-LAST_LINES).join("\n");
    reject(new Error(`"${line}" ${ending}:\n${words}`));
  });
  return promise;
}
