import { spawn } from "node:child_process";
import { didYouMean } from "../../components/refusal/suggestion.ts";
import { LabFailure } from "../failure.ts";
import { enterArgv } from "../machines/enter.ts";
import type { ClusterState } from "./state.ts";

/** @throws LabFailure for a name that no lab, or no machine of the lab, has. A lab of a test has no record of its machines. */
export function requireMachine(lab: string, machine: string, state: ClusterState | undefined, labs: string[]): void {
  if (!labs.includes(lab))
    throw new LabFailure(`there is no lab ${lab}${didYouMean(lab, labs)} (labs here: ${labs.join(", ") || "none"})`, {
      next: "'make up' makes one",
      exitCode: 2,
    });
  const machines = state?.spec.machines.map(({ name }) => name);
  if (machines === undefined || machines.includes(machine)) return;
  throw new LabFailure(`lab ${lab} has no machine ${machine}${didYouMean(machine, machines)}`, {
    next: `name one of ${machines.join(", ")}`,
    exitCode: 2,
  });
}

/** Runs a command inside a machine with this process's own input and output. @returns its exit status, as a shell's. */
export function exec(lab: string, machine: string, argv: string[]): Promise<number> {
  const [file, ...args] = enterArgv(lab, machine, argv) as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: "inherit" });
    // Signals of a terminal reach the command too (same process group). Pass on the others.
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill("SIGKILL"));
    process.on("SIGINT", () => {});
    child.once("error", (error) => reject(new LabFailure(`cannot enter machine ${machine}: ${error.message}`)));
    child.once("exit", (code) => resolve(code ?? 137));
  });
}
