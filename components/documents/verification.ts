import { z } from "zod";
import { parseDestination } from "../../model/expectation/destination.ts";
import { measuredModes } from "../../model/mode/mode.ts";
import { checkSchema } from "./check.ts";
import { known, parsed, whole } from "./fields.ts";
import { remoteMachineSchema } from "./remote-machine.ts";

/** Figures of a mode that a limit can be set for. */
const limitedQuantities = ["meanUs", "medianUs", "p90Us", "p99Us", "cpuUsPerConnection"] as const;

const measurementSchema = known(
  {
    client: z.string().describe("The machine that connects."),
    to: parsed(parseDestination, "tcp://HOST:PORT", "What it connects to: a node port, like tcp://172.31.1.8:30604."),
    modes: z.array(z.enum(measuredModes)).min(1).describe("Who handles services, the mode of the deployment first."),
    connections: whole(1, 60_000, "New connections in each mode."),
    concurrency: whole(1, 256, "Connections at the same time."),
  },
  "What new connections are to take, in one mode or several.",
);

const thresholdSchema = known(
  {
    quantity: z.enum(limitedQuantities).describe("Which figure."),
    mode: z.enum(measuredModes).describe("Of which mode."),
    baseline: z.enum(measuredModes).optional().describe("The limit is for the ratio to this mode in the same run."),
    atMost: z.number().positive().describe("Microseconds, or the ratio."),
  },
  "A limit: exceeded when the figure, or the lower end of its confidence interval where it has one, is above it.",
);

/** What `verify` reads: everything that one deployment asks to be shown. */
export const verificationSchema = known(
  {
    name: z.string().min(1).describe("What is being verified, in words."),
    checks: z.array(checkSchema).prefault([]).describe("Carried out in order."),
    checkFiles: z
      .array(known({ name: z.string(), text: z.string().describe("YAML or JSON.") }, "A check file."))
      .default([])
      .describe("Carried out after `checks`, in order."),
    measurement: measurementSchema.optional(),
    machines: z
      .array(remoteMachineSchema)
      .default([])
      .describe("Machines outside the cluster; the private key is in the environment, EBPF_DATAPLANE_SSH_KEY."),
    probeImage: z
      .string()
      .min(1)
      .optional()
      .describe("Image of the probers that run on nodes meanwhile. Absent: the image of the cluster's agents."),
    thresholds: z.array(thresholdSchema).default([]).describe("Limits for what is measured."),
  },
  "What a verification has to show.",
);

export type Measurement = z.output<typeof measurementSchema>;
export type Threshold = z.output<typeof thresholdSchema>;
