// The walk-through's commands, as a person types them, for a lab beside the one that person may have running.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

export interface Ending {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Running = { pid: number; end: Promise<Ending> };

/**
 * The commands of one story, with its own lab and project folder: stories run side by side. The name is not `local`, because a test must not take
 * down the cluster that a developer uses. Each checkout has its own names, so that test runs do not conflict, while
 * the next run finds the remains of a killed run.
 *
 * @param story at most 4 letters, since interface names are derived from it
 * @param program in place of the checkout's own one
 */
export function commandsOf(story: string, program?: string) {
  const project = projectFolder(story, program);
  const LAB = `${story}${createHash("sha256").update(root).digest("hex").slice(0, 6)}`;
  const start = (program: string, args: string[]): Running =>
    startNode(join(root, "dist", program), args, project, { EBPF_DATAPLANE_LAB: LAB });
  const verify = (verb: string, ...args: string[]) => start("verify.js", [verb, "--lab", LAB, ...args]);
  return {
    LAB,
    /** A file that the commands have written, as `verification.json`. */
    result: (name: string) => join(project, "out", name),
    /** Without the Pulumi CLI even where there is one: its state would be the user's. */
    stack: (verb: "up" | "preview" | "down", ...options: string[]) =>
      start("runner.js", [verb, "--stack", "local", "--no-cli", ...options]),
    /** The stack for AWS, on a lab. */
    rehearsal: (...options: string[]) => start("runner.js", ["rehearse", "--stack", "aws", ...options]),
    lab: (...words: string[]) => start("lab.js", words),
    /** Findings of the preflight for existing clusters on this one, as JSON. */
    preflight: () => {
      const kubeconfig = `kubeconfigPath=/var/lib/ebpf-dataplane/labs/${LAB}/kubeconfig`;
      const settings = [kubeconfig, "apiServerHost=172.31.1.8"].flatMap((setting) => ["--config", setting]);
      return start("runner.js", ["preflight", "--json", ...settings]);
    },
    check: (...files: string[]) => verify("check", ...files),
    compare: (...options: string[]) => verify("compare", "--quick", ...options),
    /** How the dataplane is on each node. */
    status: (...options: string[]) => verify("status", "--json", ...options),
    /** Writes an archive for support. */
    bundle: (...options: string[]) => verify("bundle", ...options),
    /** What happens on all nodes; ends by itself only if it cannot begin. */
    watch: (...options: string[]) => verify("watch", ...options),
    /** One connection, step by step. */
    trace: (from: string, to: string) => verify("trace", from, to),
    inMachine: (machine: string, ...command: string[]) => start("lab.js", ["exec", LAB, machine, "--", ...command]),
  };
}

/** The story whose program is run from its sources, as a user's. The others run the compiled one: that saves compiling it at each command. */
const SOURCES = "walk";

/** The checkout under another name, because a project's commands write to its folder `out`. */
function projectFolder(story: string, program = "dist/index.js"): string {
  const folder = join(root, "out", "stories", story);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isSymbolicLink() || entry.name === "Pulumi.yaml") rmSync(join(folder, entry.name));
  for (const name of readdirSync(root).filter((name) => !["out", ".git"].includes(name)))
    symlinkSync(join(root, name), join(folder, name));
  if (story === SOURCES) return folder;
  const project = join(folder, "Pulumi.yaml");
  const compiled = readFileSync(project, "utf8").replace(/^main: index\.ts$/m, `main: ${program}`);
  rmSync(project);
  writeFileSync(project, compiled);
  return folder;
}

function startNode(program: string, args: string[], cwd: string, env: Record<string, string>): Running {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A separate process group: killing it also kills its children, as closing a terminal does.
    detached: true,
    timeout: 35 * 60_000,
  });
  const { promise, resolve, reject } = Promise.withResolvers<Ending>();
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      printed[stream] += chunk;
    });
  }
  child.on("error", reject);
  child.on("close", (status) => resolve({ status, ...printed }));
  return { pid: child.pid as number, end: promise };
}

/** Waits for the end, and fails with everything that was printed when it is not the one wanted. */
export async function ended({ end }: Running, wanted = 0): Promise<Ending> {
  const ending = await end;
  if (ending.status === wanted) return ending;
  throw new Error(`ended with status ${ending.status}, not ${wanted}:\n${ending.stderr}\n${ending.stdout}`);
}
