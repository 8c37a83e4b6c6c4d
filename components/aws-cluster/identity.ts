import * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";

/** What instances may do, and what must be there before the first of them asks. */
export interface Identity {
  profile: pulumi.Output<string>;
  grants: pulumi.Resource[];
}

const EC2_ASSUMES = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** What Session Manager's agent needs, as AWS maintains it. */
const SESSION_MANAGER = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

/** A role with one action on these parameters, and nothing else but Session Manager where it is wanted. */
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
