import { z } from "zod";
import { labAddressIpv6Rule, labAddressRule } from "../../components/documents/lab.ts";
import { ruled } from "../../components/documents/ruled.ts";
import { labMachineNameRule, labNameRule } from "../../components/rules/names.ts";
import { LabFailure } from "../failure.ts";

const ruleSchema = z.strictObject({
  protocol: z.enum(["tcp", "udp", "icmp", "icmpv6", "all"]),
  /** First and last port for TCP and UDP, type and code for ICMP; absent: all. */
  range: z.tuple([z.number(), z.number()]).optional(),
  /** The allowed sources. */
  cidrs: z.array(z.union([z.cidrv4(), z.cidrv6()])),
});

const statementSchema = z.strictObject({ actions: z.array(z.string()), resources: z.array(z.string()) });

const instanceSchema = z.strictObject({
  name: ruled(labMachineNameRule),
  address: ruled(labAddressRule),
  addressIpv6: ruled(labAddressIpv6Rule).optional(),
  /** A shell script; instances without one do not have Kubernetes. */
  userData: z.string().optional(),
  sourceDestCheck: z.boolean(),
  /** What its security groups admit; all outgoing traffic is allowed. */
  ingress: z.array(ruleSchema),
  /** The permissions of the instance. */
  role: z.strictObject({ name: z.string(), statements: z.array(statementSchema) }).optional(),
  /** Loopback address of this host at which its API server is reachable. */
  publicAddress: z.ipv4().optional(),
});

const cloudSchema = z.strictObject({
  name: ruled(labNameRule),
  region: z.string(),
  instances: z.array(instanceSchema),
  parameters: z.array(z.strictObject({ name: z.string(), arn: z.string() })),
  /** Networks that the VPC's route table leads to an instance. */
  routes: z.array(z.strictObject({ cidr: z.cidrv4(), instance: z.string() })).default([]),
});

/** What `lab cloud` reads from stdin: the wanted part of AWS. Existing instances that it does not list stay. */
export type CloudSpec = z.output<typeof cloudSchema>;
export type CloudInstance = CloudSpec["instances"][number];
export type Rule = z.output<typeof ruleSchema>;

/** @throws LabFailure (exit code 2) naming every wrong field. */
export function parseCloud(text: string): CloudSpec {
  const result = cloudSchema.safeParse(JSON.parse(text));
  if (result.success) return result.data;
  throw new LabFailure(`the cloud's specification is not valid:\n${z.prettifyError(result.error)}`, { exitCode: 2 });
}
