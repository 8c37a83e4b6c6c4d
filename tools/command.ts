// Runs one command of a build step: without output if it succeeds, with the end of its output if it fails.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface CommandOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Default: 1800. A command that takes longer is killed and fails. */
  timeoutSeconds?: number;
  /** Hears each line of its output, as it comes. */
  onLine?: (line: string) => void;
  /** Hears each line of its error output, as it comes. */
  onErrorLine?: (line: string) => void;
}

/** Lines of output to show for a failed command. */
const LAST_LINES = 40;

/**
 * Runs a command to its end.
 * @returns its standard output
 * @throws Error with the command, how it ended and its last lines of output
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
  if (options.onLine) createInterface(child.stdout).on("line", options.onLine);
  if (options.onErrorLine) createInterface(child.stderr).on("line", options.onErrorLine);
  const line = [command, ...args].join(" ");
  child.on("error", (error) => reject(new Error(`Cannot run "${line}": ${error.message}`)));
  child.on("close", (status, signal) => {
    if (status === 0) return resolve(Buffer.concat(stdout).toString());
    const ending = signal ? `was killed by ${signal}` : `exited with status ${status}`;
    const lines = Buffer.concat(printed).toString().trimEnd().split("\n");
    // Compilers write their own stack after it.
    const words = lines.find(isOfFullDisk) ?? lines.slice(-LAST_LINES).join("\n");
    reject(new Error(`"${line}" ${ending}:\n${words}`));
  });
  return promise;
}

/** What programs (strerror(3)) and Node say of ENOSPC. */
const isOfFullDisk = (text: string): boolean => /no space left on device/i.test(text);

/** What Node, npm's programs and compilers say of EACCES. */
const isOfRights = (text: string): boolean => /permission denied/i.test(text);

/** What a build failed of, with the next step where that is known. @param cache folder of the artifacts */
export function failureInWords(error: unknown, cache: string): string {
  const message = error instanceof Error ? error.message : String(error);
  if (isOfFullDisk(message))
    return `${message}\nNext: free space on the disks of this checkout and of ${cache}, then run the same command again.`;
  const refused = message.split("\n").find(isOfRights);
  if (refused === undefined) return message;
  const user = process.getuid?.() === 0 ? "root" : "this user";
  return `${refused}\nNext: ${user} needs to write to this checkout and ${cache}; run it as the user who made them, or in a checkout of your own.`;
}
