import { z } from "zod";
import { environmentSchema } from "./environment.ts";
import { estimateSchema, ratioSchema } from "./figures.ts";

/**
 * Pod to pod on different nodes: `Linux` is veth, kernel routing, iptables FORWARD and kube-proxy; `Ebpf` this dataplane.
 * `Floor` is machine to machine without pods and without either: what the tool, TCP and the cable cost alone.
 */
export const throughputPaths = ["Linux", "Ebpf", "Floor"] as const;

/**
 * How packets cross the cable between nodes. `Offloaded`: as one piece of up to 64 KiB, as with segmentation and receive
 * offload in hardware. `Cut`: in packets of the MTU that are received one by one.
 */
export const cables = ["Offloaded", "Cut"] as const;

/** How pods' packets travel between nodes. */
export const encapsulations = ["None", "Vxlan"] as const;

const runSchema = z.strictObject({
  path: z.enum(throughputPaths),
  cable: z.enum(cables),
  encapsulation: z.enum(encapsulations),
  mtu: z.int().describe("MTU of the pods' interfaces, bytes."),
  streams: z.int().min(1),
  messageBytes: z.int().min(1).describe("Bytes per write."),
  gbitPerSecond: estimateSchema,
  cpuSecondsPerGbit: estimateSchema.describe("CPU seconds of the whole computer per gigabit carried."),
  ownCpuSecondsPerGbit: estimateSchema.describe(
    "The part of that spent by the two machines (their cgroups) and the kernel's softirq threads, without the rest of the computer.",
  ),
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
