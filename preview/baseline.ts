import { z } from "zod";
import type { Baseline } from "./build.ts";
import { previewSchema } from "./document.ts";

/** The compared part of an earlier preview; other fields may differ between versions. */
const comparedSchema = previewSchema.pick({ reach: true, cost: true });

/**
 * Reads the output of an earlier `preview --json`.
 * @param what its name in the output
 * @throws Error with a one-sentence message
 */
export function readBaseline(text: string, what: string): Baseline {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not valid JSON: ${(error as Error).message}`);
  }
  const result = z.looseObject(comparedSchema.shape).safeParse(written);
  if (!result.success) throw new Error(`it is not the output of \`preview --json\`: ${z.prettifyError(result.error)}`);
  return { what, preview: result.data };
}
