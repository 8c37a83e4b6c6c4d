import { readMachines } from "./format/machines.ts";
import { readChecks } from "./format/read.ts";
import { forgetResult, readInput, type SessionOptions, session, writeResult } from "./session.ts";

export interface CheckOptions extends SessionOptions {
  /** Path of the result. */
  out: string;
  /** File of machines that are reached by SSH. */
  machines?: string;
}

/** Runs check files. @returns the exit status */
export function checkCommand(files: string[], options: CheckOptions): Promise<number> {
  // Every file is read before anything is changed: a mistake in the last one has no effect.
  const read = () => {
    const checks = files.flatMap((file) => {
      const name = file === "-" ? "stdin" : file;
      return readChecks(readInput(file), name).map((check) => ({ check, file: name }));
    });
    const machines = options.machines ? readMachines(readInput(options.machines), options.machines) : [];
    forgetResult(options.out);
    return { checks, machines, thresholds: [] };
  };
  return session(options, read, ({ result }) => {
    writeResult(options.out, result);
    return result;
  });
}
