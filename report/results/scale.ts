import { z } from "zod";
import { scaledModes } from "../../model/mode/mode.ts";
import { environmentSchema } from "./environment.ts";
import { estimateSchema, ratioSchema } from "./figures.ts";

const pointSchema = z.strictObject({
  mode: z.enum(scaledModes),
  services: z.int().min(1),
  medianUs: estimateSchema.describe(
    "New connection from a pod: to services spread evenly over age, the newest among them, since kube-proxy's rules are in no particular order; microseconds.",
  ),
  programmingSeconds: z
    .number()
    .min(0)
    .describe("From the API server's having one more service until a connection to it is answered."),
  loadSeconds: z.number().min(0).describe("From an empty dataplane until all services are programmed."),
  rounds: z.int().min(0).describe("Undisturbed rounds of connections."),
  disturbedRounds: z.int().min(0),
});

const unansweredSchema = z
  .strictObject({
    mode: z.enum(scaledModes),
    services: z.int().min(1),
    endpoints: z.int().min(1).describe("Of each service."),
    seconds: z.number().describe("How long its services were waited for."),
  })
  .describe("A mode that has no figure at this size: its services did not answer in time.");

const goalSchema = z
  .strictObject({
    what: z.string().describe("The figure, its unit, and at which size."),
    value: z.number(),
    goal: z.number().describe("At most."),
    met: z.boolean(),
    beside: z.string().optional().describe("The same of kube-proxy, in the same run."),
  })
  .describe("A figure of this dataplane that has a goal.");

export type Goal = z.output<typeof goalSchema>;

/** The form of `out/scale.json`. */
export const scaleSchema = z
  .strictObject({
    environment: environmentSchema,
    points: z.array(pointSchema),
    ratios: z.array(ratioSchema),
    goals: z.array(goalSchema).optional(),
    unanswered: z.array(unansweredSchema).optional(),
    verdict: z.string(),
  })
  .describe("What a connection and a change cost with ever more services.");

export type Scale = z.output<typeof scaleSchema>;
