import { parse } from "yaml";
import { z } from "zod";
import { type RemoteMachine, remoteMachineSchema } from "../../components/documents/remote-machine.ts";
import { CheckFileError } from "./read.ts";

/** Reads a list of machines, YAML or JSON. Throws CheckFileError with all problems. */
export function readMachines(content: string, file: string): RemoteMachine[] {
  let written: unknown;
  try {
    written = parse(content);
  } catch (error) {
    throw new CheckFileError(`${file}: is neither valid YAML nor JSON: ${(error as Error).message}`);
  }
  const { success, data, error } = z.array(remoteMachineSchema).safeParse(written);
  if (success) return data;
  throw new CheckFileError(`${file}: ${z.prettifyError(error)}`);
}
