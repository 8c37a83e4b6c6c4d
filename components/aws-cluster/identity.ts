import * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";

/** The permissions of instances, which must exist before the first instance makes a request. */
export interface Identity {
  profile: pulumi.Output<string>;
  grants: pulumi.Resource[];
}

const EC2_ASSUMES = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** The permissions that Session Manager's agent needs, in the policy that AWS maintains. */
const SESSION_MANAGER = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

/** A role that allows one action on these parameters and, where requested, Session Manager. */
export function identity(
  sdk: AwsSdk,
  name: string,
  allowed: { action: string; parameters: pulumi.Output<string>[] } | undefined,
  { sessionManager, tags }: { sessionManager: boolean; tags: Record<string, pulumi.Input<string>> },
  opts: pulumi.CustomResourceOptions,
): Identity {
  const role = new sdk.iam.Role(`${name}-role`, { assumeRolePolicy: EC2_ASSUMES, tags }, opts);
  const grants: pulumi.Resource[] = [];
  if (allowed) {
    const policy = pulumi
      .all(allowed.parameters)
      .apply((Resource) =>
        JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: allowed.action, Resource }] }),
      );
    grants.push(new sdk.iam.RolePolicy(`${name}-parameters`, { role: role.name, policy }, opts));
  }
  if (sessionManager) {
    const attachment = { role: role.name, policyArn: SESSION_MANAGER };
    grants.push(new sdk.iam.RolePolicyAttachment(`${name}-session-manager`, attachment, opts));
  }
  const profile = new sdk.iam.InstanceProfile(`${name}-profile`, { role: role.name, tags }, opts);
  return { profile: profile.name, grants };
}
