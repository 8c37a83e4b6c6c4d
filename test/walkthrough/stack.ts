// The walk-through's commands, as a person types them, for a lab beside the one that person may have running.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** Not `local`: testing must not take down the cluster that somebody works with; and each checkout has its own, so that
 * test runs do not meet, while what a killed run left is found by the next one. */
export const LAB = `walk${createHash("sha256").update(root).digest("hex").slice(0, 6)}`;

export interface Ending {
  status: number | null;
  stdout: string;
  stderr: string;
}

export type Running = { pid: number; end: Promise<Ending> };

/** Without the Pulumi CLI even where there is one: its state would be the user's. */
export function stack(verb: "up" | "preview" | "down", ...options: string[]): Running {
  return start(join(root, "dist", "runner.js"), [verb, "--stack", "local", "--no-cli", ...options]);
}

/** The stack for AWS, on a lab. */
export const rehearsal = (...options: string[]): Running =>
  start(join(root, "dist", "runner.js"), ["rehearse", "--stack", "aws", ...options]);

export const lab = (...words: string[]): Running => start(join(root, "dist", "lab.js"), words);

/** What stands in the way of the stack for existing clusters on this one, as JSON. */
export const preflight = (): Running => {
  const kubeconfig = `kubeconfigPath=/var/lib/ebpf-dataplane/labs/${LAB}/kubeconfig`;
  const settings = [kubeconfig, "apiServerHost=172.31.1.8"].flatMap((setting) => ["--config", setting]);
  return start(join(root, "dist", "runner.js"), ["preflight", "--json", ...settings]);
};

export const check = (file: string): Running => start(join(root, "dist", "verify.js"), ["check", "--lab", LAB, file]);

export const compare = (...options: string[]): Running =>
  start(join(root, "dist", "verify.js"), ["compare", "--lab", LAB, "--quick", ...options]);

/** One connection, step by step. */
export const trace = (from: string, to: string): Running =>
  start(join(root, "dist", "verify.js"), ["trace", "--lab", LAB, from, to]);

export const inMachine = (machine: string, ...command: string[]): Running =>
  start(join(root, "dist", "lab.js"), ["exec", LAB, machine, "--", ...command]);

function start(program: string, args: string[]): Running {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: root,
    env: { ...process.env, EBPF_DATAPLANE_LAB: LAB },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: what kills it kills what it started, as a closed terminal does.
    detached: true,
    timeout: 15 * 60_000,
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
