import { z } from "zod";

/** An estimate with its 95 % confidence interval, from a bootstrap over rounds. */
export const estimateSchema = z
  .strictObject({
    value: z.number(),
    low: z.number().describe("Lower end of the 95 % confidence interval."),
    high: z.number().describe("Upper end."),
  })
  .describe("An estimate with its 95 % confidence interval, by bootstrap over rounds.");

export type Estimate = z.output<typeof estimateSchema>;

/** How two values compare: a difference within the spread is none. */
const differenceSchema = z.enum(["less", "more", "no difference"]);

/** One mode measured against another in the same run. */
export const ratioSchema = z
  .strictObject({
    of: z.string().describe("What is measured, as a mode's name."),
    to: z.string().describe("The baseline in the same run."),
    quantity: z.string().describe("Which figure, e.g. medianUs."),
    ratio: estimateSchema,
    difference: differenceSchema.describe("no difference: the interval holds 1."),
  })
  .describe("A figure as a ratio to the baseline in the same run.");

export type Ratio = z.output<typeof ratioSchema>;
