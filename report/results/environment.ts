import { z } from "zod";

/** Where and with what something was measured. */
export const environmentSchema = z
  .strictObject({
    measuredAt: z.iso.datetime().describe("When, UTC."),
    commit: z.string().optional().describe("Commit of the checkout; ends in -dirty when files differ from it."),
    version: z.string().describe("Version of this package."),
    kernel: z.string().describe("Release, e.g. 6.18.0."),
    distribution: z.string().describe("PRETTY_NAME of os-release(5)."),
    processor: z.string().describe("Model name."),
    cores: z.int().min(1),
    virtualized: z.boolean().describe("Whether the processor says that it is a virtual one."),
    kubernetes: z.string().optional().describe("Version of the API server."),
    stealShare: z
      .number()
      .min(0)
      .max(1)
      .describe("Share of time that the host took away during the measurement (/proc/stat)."),
    loadBefore: z.number().min(0).describe("Load average of the last minute before it."),
    command: z.string().describe("What repeats it."),
  })
  .describe("Where and with what something was measured.");

export type Environment = z.output<typeof environmentSchema>;
