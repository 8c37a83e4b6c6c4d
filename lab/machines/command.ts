import { type ChildProcessByStdio, spawn } from "node:child_process";
import { closeSync, createWriteStream, openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { LabFailure } from "../failure.ts";

export interface CommandOptions {
  input?: string;
  /** The file that the command has as its input, in place of `input`. */
  inputFile?: string;
  /** Milliseconds until the command is killed; default 60 s, so that no command hangs forever. */
  timeout?: number;
  env?: Record<string, string>;
  /** File that receives the command's output while it runs. */
  log?: string;
  /** The purpose of the command, for example "create the network namespace local-master". */
  purpose?: string;
}

export interface CommandResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end, whatever its exit status. After the timeout it is killed (status 124, like timeout(1)). */
export function attempt(argv: string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file, ...args] = argv as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const given = options.inputFile === undefined ? undefined : openSync(options.inputFile, "r");
    const child = spawn(file, args, {
      env: { ...process.env, ...options.env },
      stdio: [given ?? "pipe", "pipe", "pipe"],
    }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
    if (given !== undefined) closeSync(given);
    const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
    child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
    if (options.log) {
      const log = createWriteStream(options.log);
      child.stdout.pipe(log);
      child.stderr.pipe(log);
    }
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      child.kill("SIGKILL");
    }, options.timeout ?? 60_000);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new LabFailure(`cannot run ${file}: ${error.message}`, { next: `install ${file}, or put it on PATH` }));
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      const [stdout, stderr] = [chunks.stdout, chunks.stderr].map((list) => Buffer.concat(list).toString());
      resolve({ status: expired ? 124 : (code ?? 137), stdout: stdout as string, stderr: stderr as string });
    });
    child.stdin?.on("error", () => {}); // the command may end before it has read its input
    child.stdin?.end(options.input ?? "");
  });
}

/** The error for a failed command: its purpose, the command, how it ended, and the end of its output. */
export function commandFailure(purpose: string, argv: string[], { status, stdout, stderr }: CommandResult): LabFailure {
  const lines = (stderr.trim() || stdout.trim()).split("\n");
  // A full disk has many lines, all with the same end.
  const full = lines.find((line) => line.endsWith(FULL));
  if (full !== undefined) return new LabFailure(`cannot ${purpose}: ${full.trim()}`, { next: FREE_SPACE });
  const said = lines.slice(-15).join("\n  ");
  const outcome = status === 124 ? "took too long and was stopped" : `exited with status ${status}`;
  return new LabFailure(`cannot ${purpose}: '${argv.join(" ")}' ${outcome}:\n  ${said}`);
}

/** What programs say of ENOSPC (strerror(3)). */
const FULL = "No space left on device";
/** What to do about it. */
export const FREE_SPACE = "free space on that disk, then run the same command again";

/** Runs a command that must succeed, and returns its standard output. @throws LabFailure with its output. */
export async function run(argv: string[], options: CommandOptions = {}): Promise<string> {
  const result = await attempt(argv, options);
  if (result.status === 0) return result.stdout;
  throw commandFailure(options.purpose ?? `run ${argv[0]}`, argv, result);
}
