import { z } from "zod";

const rowSchema = z.strictObject({
  from: z.string().describe("Where the probe left from, as the check names it."),
  to: z.string().describe("What it tried to reach, as the check names it."),
  expected: z.string().describe("In words."),
  observed: z.string().describe("In words, in the same order."),
  pass: z.boolean(),
  step: z.string().optional().describe("Name of the check, and the step where it has several."),
  evidence: z
    .array(z.string())
    .optional()
    .describe("What is not as expected, then what the observation rests on: log lines, captured packets."),
});

/** The form of the verification's result, `out/verification.json`. */
export const resultSchema = z
  .strictObject({
    passed: z.int().min(0).describe("Rows that hold."),
    failed: z.int().min(0).describe("Rows that do not."),
    rows: z.array(rowSchema).describe("One per expectation, in the order of the check."),
  })
  .describe("What a verification expected and observed.");

export type Row = z.output<typeof rowSchema>;
export type VerificationResult = z.output<typeof resultSchema>;

export function summarise(rows: Row[]): VerificationResult {
  const passed = rows.filter(({ pass }) => pass).length;
  return { passed, failed: rows.length - passed, rows };
}
