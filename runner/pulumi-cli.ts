import { type SpawnOptions, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { parseDocument } from "yaml";
import { cacheFolder } from "./cache-folder.ts";
import { requireUnlocked } from "./cli-lock.ts";
import { isExecutable } from "./executable.ts";
import { Interrupted, RunnerFailure } from "./failure.ts";
import { overridesOf, type Stack } from "./project.ts";
import { complain, say } from "./terminal.ts";

/** The Pulumi CLI on PATH, or undefined. */
export function findPulumi(path = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, "pulumi"))
    .find(isExecutable);
}

const WORDS = {
  up: ["up", "--yes", "--skip-preview"],
  preview: ["preview", "--json", "--show-sames"],
  down: ["destroy", "--yes", "--skip-preview"],
};
export type Verb = keyof typeof WORDS;

/** A run with the Pulumi CLI. */
export interface CliRun {
  stack: Stack;
  /** `key=value` settings for this run. */
  overrides: string[];
  /** Name of a further deployment with the settings of the same stack, such as a second lab. The CLI keeps the state of each one apart. */
  copy?: string | undefined;
}

/** Runs a verb with the Pulumi CLI; its state is in a folder of the cache unless the user has chosen a backend. */
export async function delegate(pulumi: string, verb: "up" | "down", run: CliRun): Promise<void> {
  await work(pulumi, verb, run, "inherit");
}

/** The Pulumi CLI's preview as JSON, including unchanged resources. */
export function previewByCli(pulumi: string, run: CliRun): Promise<string> {
  return work(pulumi, "preview", run, "pipe");
}

async function work(pulumi: string, verb: Verb, { stack: of, overrides, copy }: CliRun, stdout: Stdout) {
  const stack = copy === undefined ? of : { ...of, stack: `${of.stack}-${copy}` };
  const folder = join(cacheFolder(), "pulumi");
  const place = join(folder, "settings", stack.name);
  const settings = settingsOfThisRun(place, stack, overridesOf(stack, overrides));
  const env = { ...process.env, ...backend(folder) };
  if (verb !== "preview") requireUnlocked(env.PULUMI_BACKEND_URL, stack);
  const run = (cwd: string, to: Stdout, ...words: string[]) => {
    say(`pulumi ${words.join(" ")}`);
    return output(pulumi, words, { cwd, env, stdio: ["inherit", to, "inherit"] });
  };
  // The CLI writes a new stack's salt beside the Pulumi.yaml in use; no option changes that. Standard output has only the requested result.
  await run(place, stdout === "pipe" ? "ignore" : "inherit", "stack", "select", "--create", stack.stack);
  return run(stack.folder, stdout, ...WORDS[verb], "--stack", stack.stack, "--config-file", settings);
}

/** Keys that the CLI writes into a stack's file when it creates the stack: for its secrets. */
const KEYS = ["encryptionsalt", "encryptedkey", "secretsprovider"];

/**
 * A copy of the stack's file, with overrides. The CLI would write to the user's file, which is under version control: the
 * overrides permanently, and the salt of a stack that exists only on this computer. The copy keeps the salt between runs.
 * @returns path of the copy, in a folder where the CLI finds the same project
 */
function settingsOfThisRun(place: string, stack: Stack, overrides: Record<string, string>): string {
  const path = join(place, `Pulumi.${stack.stack}.yaml`);
  const document = parseDocument(existsSync(stack.settings) ? readFileSync(stack.settings, "utf8") : "{}");
  if (existsSync(path) && !KEYS.some((key) => document.has(key))) {
    const former = parseDocument(readFileSync(path, "utf8"));
    for (const key of KEYS) if (former.has(key)) document.set(key, former.get(key));
  }
  for (const [key, value] of Object.entries(overrides)) {
    // A key of the project may be written without its namespace.
    document.deleteIn(["config", key.replace(`${stack.name}:`, "")]);
    document.setIn(["config", key], value);
  }
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "Pulumi.yaml"), `name: ${stack.name}\nruntime: nodejs\n`);
  writeFileSync(path, document.toString(), { mode: 0o600 });
  return path;
}

/** @param folder of the state, unless the user has chosen a backend */
function backend(folder: string) {
  const quiet = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE = "" } = process.env;
  if (PULUMI_BACKEND_URL) return { ...quiet, PULUMI_BACKEND_URL };
  return { ...quiet, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Destination of the CLI's standard output; "pipe": the caller. */
type Stdout = "inherit" | "ignore" | "pipe";

async function output(program: string, words: string[], options: SpawnOptions): Promise<string> {
  const child = spawn(program, words, options);
  const told = child.stdout ? text(child.stdout) : Promise.resolve("");
  let stopped: NodeJS.Signals | undefined;
  // The CLI cancels in its own time, and writes its state. A terminal signals it too, and a second signal would end it at once.
  const stop = (signal: NodeJS.Signals) => {
    stopped = signal;
    if (signal === "SIGTERM") child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const code = await new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? signal ?? "unknown"));
  }).finally(() => {
    for (const signal of SIGNALS) process.off(signal, stop);
  });
  if (stopped) throw new Interrupted(stopped);
  if (code === 0) return told;
  for (const line of diagnosticsOf(await told)) complain(line);
  throw new RunnerFailure(`pulumi ${words[0]} ended with ${code}`, { next: "see its messages above" });
}

/** In JSON mode the CLI reports errors on standard output too. */
function diagnosticsOf(json: string): string[] {
  try {
    const { diagnostics = [] } = JSON.parse(json) as { diagnostics?: { message?: string }[] };
    return diagnostics.flatMap(({ message }) => message?.trimEnd() ?? []);
  } catch {
    return json === "" ? [] : [json.trimEnd()];
  }
}
