import { z } from "zod";

const flow = {
  from: z.string().describe('"shop/web", "node master", "172.31.1.55".'),
  to: z.string().describe('"db/pg:5432".'),
};
const connections = z.int().min(0).describe("Connections in the log.");
const last = z.iso.datetime().describe("When it was seen last.");
const reason = z.string().describe("The tier, policy and rule that decides, or why it cannot be decided.");

/** What the declared policies mean for the flows of a flow log. */
export const impactSchema = z
  .strictObject({
    what: z.string().describe("Name of the log."),
    from: z.iso.datetime().describe("Time of the log."),
    until: z.iso.datetime(),
    unusedDays: z
      .number()
      .min(0)
      .optional()
      .describe("Unused is what no flow used in so many days before `until`; absent: in the whole log."),
    nodes: z.array(z.string()).describe("Nodes whose flows are in the log."),
    cut: z
      .array(z.strictObject({ ...flow, connections, last, reason }))
      .describe("Flows that were allowed, and that the declared policies deny."),
    opened: z
      .array(z.strictObject({ ...flow, packets: z.int().min(0), last, deniedBy: z.array(z.string()) }))
      .describe("Flows that were denied, and that the declared policies allow."),
    undecided: z
      .array(z.strictObject({ ...flow, connections, last, reason }))
      .describe("Flows for which the verdict depends on an address, or on what the log does not say."),
    kept: z.strictObject({ flows: z.int().min(0), connections }).describe("Flows that are allowed as before."),
    droppedUnused: z
      .array(z.strictObject(flow))
      .describe("Pairs that will be dropped, compared with an earlier preview, and that have no flow in the log."),
    unused: z
      .array(
        z.strictObject({
          policy: z.string(),
          rule: z.string().describe('"ingress rule 2: from …".'),
          lastUsed: z.iso.datetime().optional().describe("Absent: not in the log."),
        }),
      )
      .describe(
        "Rules of the declared policies, of every kind, that allow no flow of the log, or none in `unusedDays`.",
      ),
    notNamed: z.int().min(0).describe("Connections and packets that the log counts but does not name: not judged."),
    unreadable: z.int().min(0).describe("Lines of the log that could not be read."),
  })
  .describe("The flows of a flow log, judged by the declared policies.");

export type Impact = z.output<typeof impactSchema>;
