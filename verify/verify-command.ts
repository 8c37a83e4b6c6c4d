import { join } from "node:path";
import type { VerificationDocument } from "../components/source-ip-verification/result.ts";
import type { Comparison } from "../report/results/compare.ts";
import type { VerificationResult } from "../report/results/verification.ts";
import type { World } from "./engine/world.ts";
import { readVerification } from "./format/document.ts";
import { forgetResult, readInput, type SessionOptions, session, writeResult } from "./session.ts";
import type { Ending, Measure } from "./verification/run.ts";

export interface VerifyOptions extends SessionOptions {
  /** Folder for the artefacts. */
  out: string;
}

/** Operations that other parts provide. */
export interface Beside {
  /** How connections are measured, if measuring is possible. */
  measureIn: (world: World) => Measure;
  /** Writes the page of the results. */
  writePage: (found: { verification: VerificationResult; compare?: Comparison }, path: string) => void;
}

/** Runs a deployment's verification, and writes the results to a folder. @returns the exit status */
export function verifyCommand(file: string, options: VerifyOptions, { measureIn, writePage }: Beside): Promise<number> {
  const path = {
    result: join(options.out, "verification.json"),
    comparison: join(options.out, "compare.json"),
    report: join(options.out, "report.html"),
  };
  const read = () => {
    const verification = readVerification(readInput(file));
    for (const old of Object.values(path)) forgetResult(old);
    return verification;
  };
  const keep = ({ result, comparison }: Ending) => {
    if (comparison) writeResult(path.comparison, comparison);
    // First without the page, so that a failure to create the page loses no results.
    writeResult(path.result, result);
    writePage({ verification: result, compare: comparison }, path.report);
    // The part that the component reads.
    const whole = { ...result, reportPath: path.report } satisfies VerificationDocument;
    writeResult(path.result, whole);
    return whole;
  };
  return session(options, read, { keep, measureIn });
}
