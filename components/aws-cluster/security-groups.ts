import type * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";
import { Group, type Opening } from "./firewall.ts";

/** Creates the groups with their rules; outgoing traffic is not restricted. */
export function securityGroups(
  sdk: AwsSdk,
  name: string,
  { vpcId, hasIpv6 }: { vpcId: pulumi.Input<string>; hasIpv6: boolean },
  openings: Opening[],
  tags: Record<string, pulumi.Input<string>>,
  opts: pulumi.CustomResourceOptions,
): Record<Group, pulumi.Output<string>> {
  const group = (group: Group) => {
    const made = new sdk.ec2.SecurityGroup(
      `${name}-${group}`,
      { vpcId, description: `${group} of ${name}`, tags: { ...tags, Name: `${name}-${group}` } },
      opts,
    );
    const everything = { securityGroupId: made.id, ipProtocol: "-1", description: "everything", tags };
    const outside = `${name}-${group}-outside`;
    new sdk.vpc.SecurityGroupEgressRule(outside, { ...everything, cidrIpv4: "0.0.0.0/0" }, opts);
    if (hasIpv6) new sdk.vpc.SecurityGroupEgressRule(`${outside}-ipv6`, { ...everything, cidrIpv6: "::/0" }, opts);
    return made.id;
  };
  const groups = {
    [Group.ControlPlane]: group(Group.ControlPlane),
    [Group.Nodes]: group(Group.Nodes),
    [Group.Clients]: group(Group.Clients),
  };
  for (const { group, name: rule, peers, world: _, ...opening } of openings) {
    new sdk.vpc.SecurityGroupIngressRule(
      `${name}-${group}-${rule}`,
      { ...opening, securityGroupId: groups[group], ...(peers && { referencedSecurityGroupId: groups[peers] }), tags },
      opts,
    );
  }
  return groups;
}
