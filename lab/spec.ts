import { z } from "zod";
import { covers, familyOf, hostCidr, overlap, parseCidr } from "../model/address/address.ts";
import { LabFailure } from "./failure.ts";
import { labNamePattern, namePattern, subnetLength, switchAddress } from "./names.ts";

const name = z.string().regex(namePattern, "must be 1-32 of a-z, 0-9 and '-', begin with a letter, not end with '-'");
export const address = z.ipv4("must be an IPv4 address");
const subnet = z.cidrv4("must be an IPv4 CIDR such as 10.244.0.0/16");

const machineSchema = z.strictObject({
  name: name.refine((value) => value !== "switch", "'switch' is the lab's own"),
  role: z.enum(["control-plane", "worker", "client"]),
  address: address.refine(inSwitchSubnet, `must be in ${switchAddress}/${subnetLength} and not the switch itself`),
});

const specSchema = z.strictObject({
  name: z.string().regex(labNamePattern, "must be 1-12 of a-z and 0-9, and begin with a letter"),
  kubernetesVersion: z.string().regex(/^v\d+\.\d+\.\d+$/, "must be a version such as v1.35.0"),
  podSubnet: subnet,
  serviceSubnet: subnet,
  machines: z.array(machineSchema),
  /** Names of images in the cache to load on the nodes besides the cluster's own; left out or empty: all there are. */
  images: z.array(z.string()).default([]),
  /** Whether the nodes are given kube-proxy's image too; a lab's clusters do without. */
  kubeProxy: z.boolean().default(false),
});

/** What `lab up` reads from stdin: the lab that there shall be. */
export type LabSpec = z.output<typeof specSchema>;
export type MachineSpec = LabSpec["machines"][number];

export function inSwitchSubnet(value: string): boolean {
  const network = parseCidr(`${switchAddress}/${subnetLength}`);
  return value !== switchAddress && familyOf(value) === "IPv4" && covers(network, hostCidr(value));
}

function duplicate(values: string[]): string | undefined {
  return values.find((value, index) => values.indexOf(value) !== index);
}

/** What holds between fields; each line names the field, what it is and what is allowed. */
function disagreements(spec: LabSpec): string[] {
  const problems: string[] = [];
  const controlPlanes = spec.machines.filter((machine) => machine.role === "control-plane").length;
  if (controlPlanes !== 1) problems.push(`machines: ${controlPlanes} have role control-plane; exactly one must`);
  const name = duplicate(spec.machines.map((machine) => machine.name));
  if (name) problems.push(`machines: two are called ${name}; names must differ`);
  const address = duplicate(spec.machines.map((machine) => machine.address));
  if (address) problems.push(`machines: two have address ${address}; addresses must differ`);
  const ranges: [string, string][] = [
    ["podSubnet", spec.podSubnet],
    ["serviceSubnet", spec.serviceSubnet],
    ["the machines' subnet", `${switchAddress}/${subnetLength}`],
  ];
  for (const [index, [left, a]] of ranges.entries())
    for (const [right, b] of ranges.slice(index + 1))
      if (overlap(parseCidr(a), parseCidr(b)))
        problems.push(`${left}: ${a} overlaps ${right} ${b}; they must be apart`);
  return problems;
}

/**
 * Reads a lab's specification.
 * @throws LabFailure (exit code 2) naming every wrong field, its place and what is allowed.
 */
export function parseSpec(text: string): LabSpec {
  const refuse = (problems: string[]): never => {
    throw new LabFailure(`the lab's specification on stdin is not valid:\n  ${problems.join("\n  ")}`, { exitCode: 2 });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse([`not a JSON document: ${(error as Error).message}`]);
  }
  const result = specSchema.safeParse(document);
  if (!result.success)
    return refuse(result.error.issues.map((issue) => `${issue.path.join(".") || "document"}: ${issue.message}`));
  const problems = disagreements(result.data);
  return problems.length > 0 ? refuse(problems) : result.data;
}
