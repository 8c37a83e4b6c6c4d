import { z } from "zod";
import { serviceNetworkRule, unicastCidrRule } from "../rules/addresses.ts";
import { clusterIdRule } from "../rules/names.ts";
import { MTU, POD_NETWORK, SERVICE_NETWORK } from "./defaults.ts";
import { ruled } from "./ruled.ts";

/** What `cluster preflight` reads: what is going to be declared on the cluster, as far as it can be in the way of something. */
export const preflightSchema = z.strictObject({
  /** Where agents reach the API server. */
  apiServer: z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65535) }).optional(),
  /** Image of the agent, which looks at the nodes. */
  image: z.string().min(1).optional(),
  returnMode: z.enum(["dsr", "tunnel"]).default("dsr"),
  /** IPv4 networks of the pods. */
  podCidrs: z.array(ruled((cidr) => unicastCidrRule(cidr))).default([POD_NETWORK]),
  serviceSubnet: ruled(serviceNetworkRule).default(SERVICE_NETWORK),
  mtu: z.int().min(MTU.least).max(MTU.most).optional(),
  /** What becomes of a kube-proxy that is there. */
  existingKubeProxy: z.enum(["refuse", "remove"]).default("refuse"),
  /** What becomes of another network plugin that is there. */
  otherNetworkPlugin: z.enum(["refuse", "accept"]).default("refuse"),
  /** The only cluster that is meant. */
  clusterId: ruled(clusterIdRule).optional(),
  /** Whether a short pod looks at each node. */
  probeNodes: z.boolean().default(true),
  /** Seconds for those pods, pulling their image included. */
  seconds: z.number().default(120),
});
export type PreflightPlan = z.output<typeof preflightSchema>;

/** Something that a preflight looked at. */
export interface PreflightFinding {
  /** "ok", "warning" or "refused". */
  severity: string;
  /** What was looked at. */
  check: string;
  /** Names of the nodes it is about; none: the cluster. */
  nodes: string[];
  /** What is there. */
  found: string;
  /** What to do; absent where nothing is to be done. */
  next?: string;
}

/** What `cluster preflight` prints. */
export interface PreflightResult {
  /** What tells this cluster from every other. */
  clusterId: string;
  /** Release of Kubernetes. */
  version: string;
  nodes: { name: string; address: string }[];
  findings: PreflightFinding[];
  /** Number of findings that stand in the way. */
  refused: number;
}
