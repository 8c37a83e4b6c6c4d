import { z } from "zod";
import { measuredModes } from "../model/mode/mode.ts";
import { compareSchema } from "./results/compare.ts";
import { environmentSchema } from "./results/environment.ts";
import { scaleSchema } from "./results/scale.ts";
import { throughputSchema } from "./results/throughput.ts";
import { placeSchema } from "./results/topology.ts";
import { resultSchema } from "./results/verification.ts";

/** The parts of a report, in reading order. */
export const measurements = ["verification", "compare", "throughput", "scale"] as const;
export type Measurement = (typeof measurements)[number];

const measurementSchema = z.enum(measurements);
const modeSchema = z.enum(measuredModes);

const stretchSchema = z
  .strictObject({
    direction: z.enum(["request", "reply"]),
    from: z.string(),
    to: z.string(),
    source: z.string().optional().describe("ADDRESS:PORT; absent: not known on this stretch."),
    destination: z.string().optional().describe("ADDRESS:PORT; absent: not known on this stretch."),
    wrapped: z.strictObject({ source: z.string(), destination: z.string() }).optional().describe("Outer addresses."),
    basis: z.string().describe("The evidence: a captured packet, the server's log, a socket."),
  })
  .describe("A packet between two places.");

const rewriteSchema = z
  .strictObject({
    direction: z.enum(["request", "reply"]),
    field: z.enum(["source", "destination"]),
    before: z.string(),
    after: z.string(),
    at: z.string().optional().describe("Name of the place that rewrote it; absent: somewhere on the path."),
  })
  .describe("An address that was rewritten on the path.");

export const packetPathSchema = z
  .strictObject({
    mode: modeSchema.optional().describe("Absent: as deployed when the verification ran."),
    client: z.string(),
    target: z.string(),
    served: z.boolean(),
    reply: z.enum(["direct", "viaEntryNode", "onEntryNode"]).optional(),
    captured: z.boolean().describe("Whether every segment was captured; otherwise each has its evidence."),
    places: z.array(placeSchema),
    stretches: z.array(stretchSchema),
    rewrites: z.array(rewriteSchema),
  })
  .describe("The path of request and reply in one mode, as observed.");

const loggedSchema = z
  .strictObject({
    mode: modeSchema.optional().describe("Absent: as deployed when the verification ran."),
    client: z.string().optional().describe("The client; absent: the clients of the comparison."),
    sources: z.array(z.string()).describe("Addresses that the server saw."),
    lines: z.array(z.string()).describe("Its log, as evidence."),
    own: z.boolean().optional().describe("Whether they are the clients' own; absent: not known."),
  })
  .describe("Sources that the server saw.");

const seedFigureSchema = z
  .strictObject({ mode: modeSchema, meanUs: z.number(), ratio: z.number().describe("To kube-proxy's mean.") })
  .describe("A figure of the seed's walk-through on four virtual machines: mean of 10,000 connections by curl.");

/** The schema of `out/report.json`, the complete content of the report's page. */
export const reportSchema = z
  .strictObject({
    writtenAt: z.iso.datetime().describe("When, UTC."),
    verdict: z.string().describe("The result, in one sentence."),
    holds: z.boolean().optional().describe("Whether all expectations hold; absent: nothing was verified."),
    ways: z.array(packetPathSchema),
    logged: z.array(loggedSchema),
    seed: z.array(seedFigureSchema),
    verification: resultSchema.optional(),
    compare: compareSchema.optional(),
    throughput: throughputSchema.optional(),
    scale: scaleSchema.optional(),
    environments: z.array(
      z.strictObject({
        of: measurementSchema,
        environment: environmentSchema,
        otherDay: z.boolean().describe("Whether it is from another day than the report."),
      }),
    ),
    command: z.string().describe("The command that writes this report again."),
    notMeasured: z
      .array(
        z.strictObject({
          what: z.string(),
          why: z.string(),
          next: z.string().optional().describe("The command that measures it."),
        }),
      )
      .describe("Missing results, and the reason."),
  })
  .describe("Results about a deployed dataplane: verified, compared, measured.");

export type Report = z.output<typeof reportSchema>;
export type PacketPath = z.output<typeof packetPathSchema>;
export type Stretch = z.output<typeof stretchSchema>;
export type Rewrite = z.output<typeof rewriteSchema>;
export type Logged = z.output<typeof loggedSchema>;
