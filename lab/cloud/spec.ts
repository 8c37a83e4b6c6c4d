import { z } from "zod";
import { labAddressRule } from "../../components/documents/lab.ts";
import { ruled } from "../../components/documents/ruled.ts";
import { labMachineNameRule, labNameRule } from "../../components/rules/names.ts";
import { LabFailure } from "../failure.ts";

const ruleSchema = z.strictObject({
  protocol: z.enum(["tcp", "udp", "icmp", "all"]),
  /** First and last port of TCP and UDP, type and code of ICMP; left out: all. */
  range: z.tuple([z.number(), z.number()]).optional(),
  /** Who may come, by address. */
  cidrs: z.array(z.cidrv4()),
});

const statementSchema = z.strictObject({ actions: z.array(z.string()), resources: z.array(z.string()) });

const instanceSchema = z.strictObject({
  name: ruled(labMachineNameRule),
  address: ruled(labAddressRule),
  /** A shell script; instances without one have no Kubernetes either. */
  userData: z.string().optional(),
  sourceDestCheck: z.boolean(),
  /** What its security groups let in; everything may leave. */
  ingress: z.array(ruleSchema),
  /** What the instance may do. */
  role: z.strictObject({ name: z.string(), statements: z.array(statementSchema) }).optional(),
  /** Loopback address of this host by which its API server is reached. */
  publicAddress: z.ipv4().optional(),
});

const cloudSchema = z.strictObject({
  name: ruled(labNameRule),
  region: z.string(),
  instances: z.array(instanceSchema),
  parameters: z.array(z.strictObject({ name: z.string(), arn: z.string() })),
});

/** What `lab cloud` reads from stdin: the part of AWS that there shall be. What is there and not in it stays. */
export type CloudSpec = z.output<typeof cloudSchema>;
export type CloudInstance = CloudSpec["instances"][number];
export type Rule = z.output<typeof ruleSchema>;

/** @throws LabFailure (exit code 2) naming every wrong field. */
export function parseCloud(text: string): CloudSpec {
  const result = cloudSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new LabFailure(`the cloud's specification is not valid:\n${z.prettifyError(result.error)}`, { exitCode: 2 });
}
