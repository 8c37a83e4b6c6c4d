import { z } from "zod";
import { covers, hostCidr, parseCidr } from "../model/address/address.ts";
import { compare, type Machine } from "./declared/machines.ts";
import type { Resource } from "./resource.ts";

/** A network of machines. */
export interface Subnet {
  cidr: string;
  /** Absent: not declared, or chosen by AWS. */
  zone?: string;
  /** Names of the machines with an address in it. */
  machines: string[];
}

export interface SecurityGroup {
  name: string;
  /** Admitted traffic, a line for each peer: "udp 4789 from cluster-nodes". */
  admits: string[];
}

const subnetSchema = z.object({ cidrBlock: z.string(), availabilityZone: z.string().optional() });
const ruleSchema = z.object({
  ipProtocol: z.string(),
  fromPort: z.number().optional(),
  toPort: z.number().optional(),
  cidrIpv4: z.string().optional(),
});

/** The subnets that the stack creates. */
export function subnetsOf(resources: Resource[], machines: Machine[]): Subnet[] {
  return resources
    .filter(({ type }) => type === "aws:ec2/subnet:Subnet")
    .flatMap(({ inputs }) => subnetSchema.safeParse(inputs).data ?? [])
    .map(({ cidrBlock, availabilityZone }) => ({
      cidr: cidrBlock,
      ...(availabilityZone && { zone: availabilityZone }),
      machines: machines
        .filter(({ address }) => address && covers(parseCidr(cidrBlock), hostCidr(address)))
        .map(({ name }) => name),
    }))
    .sort((one, other) => compare(one.cidr, other.cidr));
}

/** Security groups with the names of the groups that their rules refer to. */
export function securityGroupsOf(resources: Resource[]): SecurityGroup[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const rules = resources.filter(({ type }) => type.endsWith(":SecurityGroupIngressRule"));
  return resources
    .filter(({ type }) => type === "aws:ec2/securityGroup:SecurityGroup")
    .map(({ urn, name }) => ({
      name,
      admits: rules
        .filter(({ references }) => references.securityGroupId?.includes(urn))
        .map((rule) => admission(rule, byUrn))
        .sort(),
    }))
    .sort((one, other) => compare(one.name, other.name));
}

function admission({ inputs, references }: Resource, byUrn: ReadonlyMap<string, Resource>): string {
  const rule = ruleSchema.safeParse(inputs).data;
  if (!rule) return "traffic that is not known yet";
  const [peers] = (references.referencedSecurityGroupId ?? []).flatMap((urn) => byUrn.get(urn)?.name ?? []);
  return `${traffic(rule)} from ${rule.cidrIpv4 ?? peers ?? "a source that is not known yet"}`;
}

function traffic({ ipProtocol, fromPort, toPort }: z.output<typeof ruleSchema>): string {
  if (ipProtocol === "-1") return "everything";
  if (ipProtocol === "icmp") return fromPort === 3 && toPort === 4 ? "icmp fragmentation needed" : "icmp";
  if (fromPort === undefined) return ipProtocol === "4" ? "ipip" : ipProtocol;
  return `${ipProtocol} ${fromPort === toPort ? fromPort : `${fromPort}-${toPort}`}`;
}
