import type * as pulumi from "@pulumi/pulumi";
import type { AwsSdk } from "../aws/sdk-types.ts";
import type { AwsSubnet } from "../aws/subnet.ts";
import type { AwsClusterArgs } from "./args.ts";

/** Where instances are put. */
export interface Network {
  vpcId: pulumi.Input<string>;
  subnets: { cidr: string; id: pulumi.Input<string> }[];
  /** What must be there before an instance can reach the outside. */
  wayOut: pulumi.Resource[];
}

/** The VPC with a subnet for each one asked for and a way out; or what exists already, untouched. */
export function network(
  sdk: AwsSdk,
  name: string,
  args: AwsClusterArgs,
  { vpcCidr, subnets }: { vpcCidr: pulumi.Input<string>; subnets: AwsSubnet[] },
  opts: pulumi.CustomResourceOptions,
): Network {
  if (args.vpcId !== undefined) {
    return { vpcId: args.vpcId, subnets: subnets.map(({ cidr, id = "" }) => ({ cidr, id })), wayOut: [] };
  }
  const tags = { ...args.tags, Name: name };
  const vpc = new sdk.ec2.Vpc(
    `${name}-vpc`,
    { cidrBlock: vpcCidr, enableDnsSupport: true, enableDnsHostnames: true, tags },
    opts,
  );
  const gateway = new sdk.ec2.InternetGateway(`${name}-gateway`, { vpcId: vpc.id, tags }, opts);
  const table = new sdk.ec2.RouteTable(`${name}-routes`, { vpcId: vpc.id, tags }, opts);
  const outside = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
  const route = new sdk.ec2.Route(`${name}-outside`, outside, opts);
  const made = subnets.map(({ cidr, zone }, index) => {
    const subnet = new sdk.ec2.Subnet(
      `${name}-subnet-${index}`,
      {
        vpcId: vpc.id,
        cidrBlock: cidr,
        tags: { ...tags, Name: `${name}-${index}` },
        ...(zone && { availabilityZone: zone }),
      },
      opts,
    );
    const association = new sdk.ec2.RouteTableAssociation(
      `${name}-subnet-${index}-routes`,
      { subnetId: subnet.id, routeTableId: table.id },
      opts,
    );
    return { cidr, id: subnet.id, association };
  });
  return {
    vpcId: vpc.id,
    subnets: made.map(({ cidr, id }) => ({ cidr, id })),
    wayOut: [route, ...made.map(({ association }) => association)],
  };
}
