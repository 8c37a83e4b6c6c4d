import { z } from "zod";
import { cidrRule } from "../rules/addresses.ts";
import { ruled } from "./ruled.ts";

/** What `cluster await-control-plane` reads. */
export const controlPlaneSchema = z.strictObject({
  /** Address of the API server, as this computer reaches it. */
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
  /** Networks that the API server is open to, for the message of a failure. */
  adminCidrs: z.array(ruled((cidr) => cidrRule(cidr))).default([]),
  seconds: z.number().default(25 * 60),
});
export type ControlPlane = z.output<typeof controlPlaneSchema>;

/** What `cluster await-nodes` reads. */
export const nodesSchema = z.strictObject({
  /** Names of the nodes. */
  nodes: z.array(z.string().min(1)),
  seconds: z.number().default(20 * 60),
});
export type AwaitedNodes = z.output<typeof nodesSchema>;
