import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { Interrupted, RunnerFailure } from "../failure.ts";
import type { Handler, Operation, Progress } from "../operation.ts";
import { columnsInside, isQuiet } from "../terminal.ts";

/** The supported inputs of `command:local:Command`; others are refused by name. */
const commandInputs = z.strictObject({
  create: z.string().optional(),
  update: z.string().optional(),
  delete: z.string().optional(),
  stdin: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  interpreter: z.array(z.string()).min(1).optional(),
  dir: z.string().optional(),
  logging: z.enum(["stdout", "stderr", "stdoutAndStderr", "none"]).optional(),
  triggers: z.array(z.unknown()).optional(),
  addPreviousOutputInEnv: z.boolean().optional(),
});
type CommandInputs = z.infer<typeof commandInputs>;

/** Number of lines of error output in a failed command's message, if they were not shown before. */
const LAST_LINES = 20;

/** A command with a non-zero exit status. */
export class CommandFailure extends RunnerFailure {
  /** Its exit status; undefined: it was ended by a signal. */
  readonly status: number | undefined;
  readonly stdout: string;

  constructor(message: string, status: number | undefined, stdout: string) {
    super(message);
    this.status = status;
    this.stdout = stdout;
  }
}

/** Runs `create` of a `command:local:Command`. */
export function localCommand(folder: string): Handler {
  return async (operation, progress, signal) => {
    const inputs = parseCommand(operation);
    const { stdout, stderr } = await run(inputs.create ?? "", inputs, folder, progress, signal);
    return { id: operation.name, state: { ...operation.inputs, stdout, stderr } };
  };
}

/** Runs `delete` of a `command:local:Command`, if it has one. */
export async function deleteLocalCommand(operation: Operation, folder: string, progress: Progress): Promise<void> {
  const inputs = parseCommand(operation);
  if (inputs.delete === undefined) return;
  await run(inputs.delete, { ...inputs, logging: "stdoutAndStderr" }, folder, progress);
}

function parseCommand(operation: Operation): CommandInputs {
  const parsed = commandInputs.safeParse(operation.inputs);
  if (parsed.success) return parsed.data;
  throw new RunnerFailure(z.prettifyError(parsed.error), { next: "use the Pulumi CLI for other inputs of Command" });
}

async function run(command: string, inputs: CommandInputs, folder: string, progress: Progress, signal?: AbortSignal) {
  const [program = "/bin/sh", ...words] = inputs.interpreter ?? ["/bin/sh", "-c"];
  const child = spawn(program, [...words, command], {
    cwd: inputs.dir ?? folder,
    env: { ...process.env, ...columnsInside(), ...inputs.environment },
    stdio: "pipe",
  });
  const stop = () => {
    // On Ctrl-C a terminal signals all of its programs; a signal to this process alone is passed on.
    if (signal?.reason instanceof Interrupted && signal.reason.signal === "SIGTERM") child.kill("SIGTERM");
  };
  signal?.addEventListener("abort", stop);
  const shown = inputs.logging ?? "stdoutAndStderr";
  const stdout = collect(child.stdout, /^stdout/.test(shown) ? progress : undefined);
  const stderr = collect(child.stderr, /stderr$/i.test(shown) ? progress : undefined);
  // A command that does not read its input closes the pipe early; its exit code decides whether that was an error.
  child.stdin.on("error", () => {});
  child.stdin.end(inputs.stdin ?? "");
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on("error", (error) => reject(new RunnerFailure(`cannot start ${program}: ${error.message}`)));
    child.on("close", (exitCode, signal) => resolve(exitCode ?? signal ?? "unknown"));
  });
  signal?.removeEventListener("abort", stop);
  const output = { stdout: await stdout, stderr: await stderr };
  if (code === 0) return output;
  const tail = /stderr$/i.test(shown) && !isQuiet() ? "" : output.stderr.split("\n").slice(-LAST_LINES).join("\n");
  const ending = typeof code === "number" ? `exit code ${code}` : code;
  throw new CommandFailure(
    `its command ended with ${ending}\n${tail}`.trim(),
    typeof code === "number" ? code : undefined,
    output.stdout,
  );
}

/** All output without the last newline, as the Pulumi provider returns it; shown line by line meanwhile. */
async function collect(stream: Readable, progress: Progress | undefined): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    lines.push(line);
    progress?.line(line);
  }
  return lines.join("\n");
}
