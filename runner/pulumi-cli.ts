import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { RunnerFailure } from "./failure.ts";
import type { Project } from "./project.ts";
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

/** Runs a verb by the Pulumi CLI; its state is a folder of the cache unless the user chose a backend. */
export async function delegate(pulumi: string, verb: Verb, project: Project, settings: string[]): Promise<void> {
  const environment = { ...process.env, ...backend() };
  const run = (...words: string[]) => {
    say(`pulumi ${words.join(" ")}`);
    return exitCode(pulumi, words, project.folder, environment);
  };
  await run("stack", "select", "--create", project.stack);
  const config = verb === "down" ? [] : settings.flatMap((setting) => ["--config", setting]);
  await run(...WORDS[verb], "--stack", project.stack, ...config);
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
