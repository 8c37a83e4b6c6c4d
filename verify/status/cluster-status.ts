import { z } from "zod";
import { nodeStatusSchema } from "../../agent/observe/status/node-status.ts";

// The state of the dataplane on each node of a cluster (`make status`).

const reportSchema = z.strictObject({
  node: z.string(),
  /** Of the agent; absent: no pod of the dataplane is on the node. */
  image: z.string().optional(),
  /** What is wrong, and what to do. Empty: the node's agent is ready, up to date, and nothing fails. */
  problems: z.array(z.string()),
  /** The agent's own report; absent: it does not answer. */
  status: nodeStatusSchema.optional(),
});
export type NodeReport = z.output<typeof reportSchema>;

export const clusterStatusSchema = z.strictObject({
  /** Whether no node has a problem. */
  ready: z.boolean(),
  /** ISO 8601. */
  at: z.string(),
  /** Address of the API server. */
  cluster: z.string(),
  nodes: z.array(reportSchema),
});
export type ClusterStatus = z.output<typeof clusterStatusSchema>;
