import { z } from "zod";
import { measuredModes } from "../model/mode/mode.ts";
import { compareSchema } from "./results/compare.ts";
import { environmentSchema } from "./results/environment.ts";
import { scaleSchema } from "./results/scale.ts";
import { throughputSchema } from "./results/throughput.ts";
import { placeSchema } from "./results/topology.ts";
import { resultSchema } from "./results/verification.ts";

/** What a report is made of, in the order of reading. */
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
    basis: z.string().describe("What this rests on, in words: a captured packet, the server's log, a socket."),
  })
  .describe("A packet between two places.");

const rewriteSchema = z
  .strictObject({
    direction: z.enum(["request", "reply"]),
    field: z.enum(["source", "destination"]),
    before: z.string(),
    after: z.string(),
    at: z.string().optional().describe("Name of the place that did it; absent: somewhere on the way."),
  })
  .describe("An address that was changed on the way.");

export const packetPathSchema = z
  .strictObject({
    mode: modeSchema.optional().describe("Absent: as deployed when the verification ran."),
    client: z.string(),
    target: z.string(),
    served: z.boolean(),
    reply: z.enum(["direct", "viaEntryNode", "onEntryNode"]).optional(),
    captured: z.boolean().describe("Whether every stretch was captured; otherwise each says what it rests on."),
    places: z.array(placeSchema),
    stretches: z.array(stretchSchema),
    rewrites: z.array(rewriteSchema),
  })
  .describe("The way of request and reply in one mode, as observed.");

const loggedSchema = z
  .strictObject({
    mode: modeSchema.optional().describe("Absent: as deployed when the verification ran."),
    client: z.string().optional().describe("Who connected; absent: the clients of the comparison."),
    sources: z.array(z.string()).describe("Addresses that the server saw."),
    lines: z.array(z.string()).describe("Its log, as evidence."),
    own: z.boolean().optional().describe("Whether they are the clients' own; absent: not known."),
  })
  .describe("Whom the server saw.");

const seedFigureSchema = z
  .strictObject({ mode: modeSchema, meanUs: z.number(), ratio: z.number().describe("To kube-proxy's mean.") })
  .describe("A figure of the seed's walk-through on four virtual machines: mean of 10,000 connections by curl.");

/** The form of `out/report.json`, all that the report's page shows. */
export const reportSchema = z
  .strictObject({
    writtenAt: z.iso.datetime().describe("When, UTC."),
    verdict: z.string().describe("What was found out, in one sentence."),
    holds: z.boolean().optional().describe("Whether all that was asked holds; absent: nothing was verified."),
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
    notMeasured: z
      .array(
        z.strictObject({
          what: z.string(),
          why: z.string(),
          next: z.string().optional().describe("The command that measures it."),
        }),
      )
      .describe("What this report cannot say, and why."),
  })
  .describe("Everything that is known about a deployed dataplane: verified, compared, measured.");

export type Report = z.output<typeof reportSchema>;
export type PacketPath = z.output<typeof packetPathSchema>;
export type Stretch = z.output<typeof stretchSchema>;
export type Rewrite = z.output<typeof rewriteSchema>;
export type Logged = z.output<typeof loggedSchema>;
