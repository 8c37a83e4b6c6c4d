import { z } from "zod";
import { measuredModes } from "../../model/mode/mode.ts";
import { environmentSchema } from "./environment.ts";
import { estimateSchema, ratioSchema } from "./figures.ts";
import { outcomeFields } from "./outcome.ts";
import { topologySchema } from "./topology.ts";

export const comparedModes = measuredModes;
export type ComparedMode = (typeof comparedModes)[number];

const perNode = (value: z.ZodNumber, of: string) => z.record(z.string(), value).describe(`By machine: ${of}`);
const microseconds = (what: string) => z.number().min(0).describe(`${what}, microseconds.`);

const overIpv6Schema = z
  .strictObject({
    served: z.record(z.string(), z.boolean()),
    servedWithoutPolicy: z.record(z.string(), z.boolean()),
    loggedSources: z.array(z.string()),
    loggedLines: z.array(z.string()),
    replyPath: z.enum(["direct", "viaEntryNode"]).optional(),
  })
  .describe("The fields of the same names, as seen over IPv6.");

const keptRequestsSchema = z
  .strictObject({
    requests: z.int().min(0).describe("Requests measured: GET and the whole answer; undisturbed rounds only."),
    medianUs: microseconds("Median"),
    p10Us: microseconds("10th percentile"),
    p90Us: microseconds("90th percentile"),
    p99Us: microseconds("99th percentile"),
    medianSpreadUs: estimateSchema.describe("Median of the rounds' medians, microseconds."),
    processUsPerRequest: estimateSchema.describe(
      "CPU time of the processes of all machines per request (their cgroups), microseconds.",
    ),
    rounds: z.int().min(0).describe("Undisturbed rounds."),
    disturbedRounds: z.int().min(0).describe("Rounds set aside because others had the processors, or requests failed."),
  })
  .describe("Requests that follow each other on one connection.");

const modeSchema = z
  .strictObject({
    mode: z.enum(comparedModes),
    served: z
      .record(z.string(), z.boolean())
      .describe("By client: whether it was served while the ipBlock policy was in force."),
    servedWithoutPolicy: z
      .record(z.string(), z.boolean())
      .describe("By client: whether it was served without the policy."),
    loggedSources: z
      .array(z.string())
      .describe("Distinct sources that the server's own log shows, in order of appearance."),
    loggedLines: z
      .array(z.string())
      .optional()
      .describe("A line of that log for each of them, in the same order: the evidence for the sources."),
    replyPath: z
      .enum(["direct", "viaEntryNode"])
      .optional()
      .describe("How replies returned, by capture on the entry node."),
    overIpv6: overIpv6Schema.optional().describe("What was seen over IPv6; absent where service or clients have none."),
    connections: z
      .int()
      .min(0)
      .describe("New connections measured: connect, GET, answer, close; undisturbed rounds only."),
    meanUs: microseconds("Mean"),
    medianUs: microseconds("Median"),
    p10Us: microseconds("10th percentile"),
    p90Us: microseconds("90th percentile"),
    p99Us: microseconds("99th percentile"),
    medianSpreadUs: estimateSchema.describe("Median of the rounds' medians, microseconds."),
    cpuSeconds: z
      .number()
      .min(0)
      .describe("CPU seconds that the whole computer spent during the measured rounds, idle and steal left out."),
    cpuUsPerConnection: estimateSchema.describe("The same per connection, microseconds."),
    softirqUsPerConnection: z.number().min(0).describe("Of that in softirq (/proc/stat), microseconds."),
    processUsPerConnection: perNode(
      z.number().min(0),
      "CPU time of its processes per connection (its cgroup), microseconds.",
    ),
    bpfNsPerConnection: perNode(
      z.number().min(0),
      "the kernel's own run time of BPF programs per connection, nanoseconds; empty where it isn't counted.",
    ),
    bpfProgramNsPerConnection: z
      .record(z.string(), z.number().min(0))
      .optional()
      .describe("The same by machine/program: where that time goes."),
    instructionsPerConnection: z.number().min(0).optional().describe("Where the processor counts them."),
    packetsPerConnection: perNode(z.number().min(0), "packets in and out of its uplink per connection."),
    rounds: z.int().min(0).describe("Undisturbed rounds."),
    disturbedRounds: z
      .int()
      .min(0)
      .describe("Rounds set aside because others had the processors, or connections failed."),
    histogramUs: z
      .array(z.strictObject({ from: z.number(), to: z.number(), count: z.int() }))
      .describe("Connection times of undisturbed rounds, in buckets of microseconds."),
    keptRequests: keptRequestsSchema
      .optional()
      .describe(
        "Requests on kept connections; absent where they were not measured, or where the server ends each connection.",
      ),
    problem: z.string().optional().describe("Why the mode could not be measured, or only in part."),
  })
  .describe("One way of handling services.");

/** The form of `out/compare.json`. */
export const compareSchema = z
  .strictObject({
    environment: environmentSchema,
    client: z.string().describe("The machine that connects."),
    target: z.string().describe("What it connects to."),
    connectionsPerRound: z.int().min(1),
    concurrency: z.int().min(1),
    othersShare: z
      .number()
      .optional()
      .describe(
        "Share of the processors' time that others had in rounds that are used, at most; absent where it is little.",
      ),
    modes: z.array(modeSchema),
    ratios: z.array(ratioSchema),
    verdict: z.string().describe("One sentence."),
    topology: topologySchema.optional().describe("The path of a connection in each mode, as captured."),
    expected: z
      .array(z.strictObject({ what: z.string(), ...outcomeFields }))
      .describe("Expectations for each mode: which clients were served, which addresses the server logged."),
  })
  .describe("The same service handled by kube-proxy and by the eBPF dataplane, measured in interleaved rounds.");

export type ComparedModeResult = z.output<typeof modeSchema>;
export type Comparison = z.output<typeof compareSchema>;
