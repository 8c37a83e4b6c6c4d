import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseDocument } from "yaml";
import { RunnerFailure } from "./failure.ts";
import { overridesOf, type Stack } from "./project.ts";
import { say } from "./terminal.ts";

/** The Pulumi CLI on PATH, or undefined. */
export function findPulumi(path = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, "pulumi"))
    .find(isExecutable);
}

const WORDS = {
  up: ["up", "--yes", "--skip-preview"],
  preview: ["preview"],
  down: ["destroy", "--yes", "--skip-preview"],
};
export type Verb = keyof typeof WORDS;

/**
 * Runs a verb by the Pulumi CLI; its state is a folder of the cache unless the user chose a backend.
 * @param overrides `key=value` settings for this run.
 */
export async function delegate(pulumi: string, verb: Verb, stack: Stack, overrides: string[]): Promise<void> {
  const settings = overridesOf(stack, overrides);
  const environment = { ...process.env, ...backend() };
  const run = (...words: string[]) => {
    say(`pulumi ${words.join(" ")}`);
    return exitCode(pulumi, words, stack.folder, environment);
  };
  await run("stack", "select", "--create", stack.stack);
  const words = [...WORDS[verb], "--stack", stack.stack];
  if (Object.keys(settings).length === 0) return run(...words);
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  try {
    await run(...words, "--config-file", settingsOfOneRun(folder, stack, settings));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The stack's file with overrides. The CLI's own `--config` would write them into the stack's file for good. */
function settingsOfOneRun(folder: string, stack: Stack, overrides: Record<string, string>): string {
  const document = parseDocument(existsSync(stack.settings) ? readFileSync(stack.settings, "utf8") : "{}");
  for (const [key, value] of Object.entries(overrides)) {
    // A key of the project may stand there without its namespace.
    document.deleteIn(["config", key.replace(`${stack.name}:`, "")]);
    document.setIn(["config", key], value);
  }
  const path = join(folder, `Pulumi.${stack.stack}.yaml`);
  writeFileSync(path, document.toString(), { mode: 0o600 });
  return path;
}

function backend(): Record<string, string> {
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (process.env.PULUMI_BACKEND_URL) return quiet;
  const folder = join(process.env.EBPF_DATAPLANE_CACHE || "/var/cache/ebpf-dataplane", "pulumi");
  mkdirSync(folder, { recursive: true });
  const passphrase = process.env.PULUMI_CONFIG_PASSPHRASE ?? "";
  return { ...quiet, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: passphrase };
}

async function exitCode(program: string, words: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, words, { cwd, env, stdio: "inherit" });
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? signal ?? "unknown"));
  });
  if (code !== 0) throw new RunnerFailure(`pulumi ${words[0]} ended with ${code}`, { next: "see its messages above" });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
