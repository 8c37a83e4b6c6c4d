import { spawn } from "node:child_process";
import { LabFailure } from "../failure.ts";
import { enterArgv } from "../machines/enter.ts";

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
