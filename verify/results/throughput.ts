import { z } from "zod";
import { environmentSchema } from "./environment.ts";
import { estimateSchema, ratioSchema } from "./figures.ts";

/** Pod to pod on different nodes: `Linux` is veth, kernel routing, iptables FORWARD and kube-proxy; `Ebpf` this dataplane. */
export const throughputPaths = ["Linux", "Ebpf"] as const;

const runSchema = z.strictObject({
  path: z.enum(throughputPaths),
  mtu: z.int().describe("MTU of the pods' interfaces, bytes."),
  streams: z.int().min(1),
  messageBytes: z.int().min(1).describe("Bytes per write."),
  gbitPerSecond: estimateSchema,
  cpuSecondsPerGbit: estimateSchema.describe("CPU seconds of the whole computer per gigabit carried."),
  rounds: z.int().min(0),
  disturbedRounds: z.int().min(0),
});

/** The form of `out/throughput.json`. */
export const throughputSchema = z
  .strictObject({
    environment: environmentSchema,
    runs: z.array(runSchema),
    ratios: z.array(ratioSchema),
    verdict: z.string(),
  })
  .describe("Throughput between pods on different nodes and what it costs.");

export type Throughput = z.output<typeof throughputSchema>;
