import { z } from "zod";
import type { Check } from "../../components/documents/check.ts";
import type { RemoteMachine } from "../../components/documents/remote-machine.ts";
import { type Measurement, type Threshold, verificationSchema } from "../../components/documents/verification.ts";
import type { Skipped } from "../../report/results/verification.ts";
import { CheckFileError, readChecks } from "./read.ts";

/** A document whose check files are read. */
export interface Verification {
  checks: { check: Check; file: string }[];
  measurement?: Measurement;
  thresholds: Threshold[];
  /** Machines that are reached by SSH. */
  machines: RemoteMachine[];
  /** Cases of a suite that cannot be tried here. */
  skipped?: Skipped[];
  /** Image of the probers on nodes. */
  probeImage?: string;
}

/** Throws CheckFileError with all problems. */
export function readVerification(text: string): Verification {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new CheckFileError(`verification: is not valid JSON: ${(error as Error).message}`);
  }
  const parsed = verificationSchema.safeParse(written);
  if (!parsed.success) throw new CheckFileError(`verification: ${z.prettifyError(parsed.error)}`);
  const { name, checks, checkFiles, measurement, thresholds, machines, probeImage } = parsed.data;
  const read = checkFiles.flatMap((file) =>
    readChecks(file.text, file.name).map((check) => ({ check, file: file.name })),
  );
  return {
    checks: [...checks.map((check) => ({ check, file: name })), ...read],
    measurement,
    thresholds,
    machines,
    probeImage,
  };
}
