import { z } from "zod";
import type { Baseline } from "./build.ts";
import { previewSchema } from "./document.ts";

/** Of an earlier preview only this is compared, so that one of another version can be too. */
const comparedSchema = previewSchema.pick({ reach: true, cost: true });

/**
 * Reads what `preview --json` printed earlier.
 * @param what how it is called for people
 * @throws Error in one sentence
 */
export function readBaseline(text: string, what: string): Baseline {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${(error as Error).message}`);
  }
  const result = z.looseObject(comparedSchema.shape).safeParse(written);
  if (!result.success) throw new Error(`it is not what \`preview --json\` prints: ${z.prettifyError(result.error)}`);
  return { what, preview: result.data };
}
