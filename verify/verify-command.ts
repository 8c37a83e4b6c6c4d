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

/** What other parts do for a verification. */
export interface Beside {
  /** How connections are measured, where they may be. */
  measureIn: (world: World) => Measure;
  /** Writes the page of what was found. */
  writePage: (found: { verification: VerificationResult; compare?: Comparison }, path: string) => void;
}

/** Carries out a document of a deployment, and leaves its artefacts in a folder. @returns the exit status */
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
    // First without the page, so that a page that cannot be made costs nothing that is known.
    writeResult(path.result, result);
    writePage({ verification: result, compare: comparison }, path.report);
    // What the component reads of it.
    const whole = { ...result, reportPath: path.report } satisfies VerificationDocument;
    writeResult(path.result, whole);
    return whole;
  };
  return session(options, read, keep, measureIn);
}
