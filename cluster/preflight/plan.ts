import { z } from "zod";
import { POD_NETWORK, SERVICE_NETWORK } from "../../components/documents/defaults.ts";

/** What is going to be declared on the cluster, as far as it can be in the way of something. */
export const planSchema = z.strictObject({
  /** Where agents reach the API server. */
  apiServer: z.strictObject({ host: z.string(), port: z.int() }).optional(),
  /** Image of the agent, which looks at the nodes. */
  image: z.string().optional(),
  returnMode: z.enum(["dsr", "tunnel"]).default("dsr"),
  /** IPv4 networks of the pods. */
  podCidrs: z.array(z.string()).default([POD_NETWORK]),
  serviceSubnet: z.string().default(SERVICE_NETWORK),
  mtu: z.int().optional(),
  /** What becomes of a kube-proxy that is there. */
  existingKubeProxy: z.enum(["refuse", "remove"]).default("refuse"),
  /** What becomes of another network plugin that is there. */
  otherNetworkPlugin: z.enum(["refuse", "accept"]).default("refuse"),
  /** The only cluster that is meant. */
  clusterId: z.string().optional(),
  /** Whether a short pod looks at each node. */
  probeNodes: z.boolean().default(true),
  /** Seconds for those pods, pulling their image included. */
  seconds: z.number().default(120),
});
export type Plan = z.output<typeof planSchema>;
