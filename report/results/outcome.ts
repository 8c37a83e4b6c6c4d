import { z } from "zod";

/** Expected and observed result: of a probe in a verification, of a mode in a comparison. */
export const outcomeFields = {
  expected: z.string().describe("In words."),
  observed: z.string().describe("In words, in the same order."),
  pass: z.boolean(),
};
