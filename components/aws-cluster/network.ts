import type * as pulumi from "@pulumi/pulumi";
import { subnetIpv6 } from "../aws/ipv6-networks.ts";
import type { AwsSdk } from "../aws/sdk-types.ts";
import type { AwsClusterArgs } from "./args.ts";
import type { CheckedAws } from "./inputs.ts";

/** The network in which instances are created. */
export interface Network {
  vpcId: pulumi.Input<string>;
  subnets: { cidr: string; id: pulumi.Input<string>; cidrIpv6?: pulumi.Input<string> }[];
  /** The route tables of the subnets, in which the VPC routes pods' addresses. */
  routeTables: pulumi.Input<string>[];
  /** Resources that must exist before an instance can reach the internet. */
  wayOut: pulumi.Resource[];
}

/** Creates the VPC with the requested subnets and a route to the internet, or uses existing ones without changing them. */
export function network(
  sdk: AwsSdk,
  name: string,
  args: AwsClusterArgs,
  { vpcCidr, subnets, hasIpv6, publicAddresses }: CheckedAws,
  opts: pulumi.CustomResourceOptions,
): Network {
  if (args.vpcId !== undefined) {
    return {
      vpcId: args.vpcId,
      subnets: subnets.map(({ zone: _, id = "", ...subnet }) => ({ ...subnet, id })),
      routeTables: args.routeTableIds ?? [],
      wayOut: [],
    };
  }
  const tags = { ...args.tags, Name: name };
  const vpc = new sdk.ec2.Vpc(
    `${name}-vpc`,
    {
      cidrBlock: vpcCidr,
      enableDnsSupport: true,
      enableDnsHostnames: true,
      ...(hasIpv6 && { assignGeneratedIpv6CidrBlock: true }),
      tags,
    },
    opts,
  );
  const gateway = new sdk.ec2.InternetGateway(`${name}-gateway`, { vpcId: vpc.id, tags }, opts);
  const table = new sdk.ec2.RouteTable(`${name}-routes`, { vpcId: vpc.id, tags }, opts);
  const outside = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
  const routes = [new sdk.ec2.Route(`${name}-outside`, outside, opts)];
  if (hasIpv6) {
    // Every IPv6 address of AWS is public: without `publicAddresses` the gateway admits no connection from outside.
    const way = publicAddresses
      ? { gatewayId: gateway.id }
      : {
          egressOnlyGatewayId: new sdk.ec2.EgressOnlyInternetGateway(`${name}-egress`, { vpcId: vpc.id, tags }, opts)
            .id,
        };
    const outsideIpv6 = { routeTableId: table.id, destinationIpv6CidrBlock: "::/0", ...way };
    routes.push(new sdk.ec2.Route(`${name}-outside-ipv6`, outsideIpv6, opts));
  }
  const made = subnets.map(({ cidr, zone }, index) => {
    const cidrIpv6 = hasIpv6 ? vpc.ipv6CidrBlock.apply((block) => subnetIpv6(block, index)) : undefined;
    const subnet = new sdk.ec2.Subnet(
      `${name}-subnet-${index}`,
      {
        vpcId: vpc.id,
        cidrBlock: cidr,
        ...(cidrIpv6 && { ipv6CidrBlock: cidrIpv6 }),
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
    return { cidr, id: subnet.id, ...(cidrIpv6 && { cidrIpv6 }), association };
  });
  return {
    vpcId: vpc.id,
    subnets: made.map(({ association: _, ...subnet }) => subnet),
    routeTables: [table.id],
    wayOut: [...routes, ...made.map(({ association }) => association)],
  };
}

/** Routes the addresses of each node's pods to the node's interface, in every table. */
export function podRoutes(
  sdk: AwsSdk,
  name: string,
  { routeTables }: Network,
  { podBlocks }: CheckedAws,
  interfaceOf: (node: string) => pulumi.Output<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  for (const { node, cidr } of podBlocks)
    routeTables.forEach((routeTableId, index) => {
      const route = { routeTableId, destinationCidrBlock: cidr, networkInterfaceId: interfaceOf(node) };
      new sdk.ec2.Route(`${name}-pods-${node}${index === 0 ? "" : `-${index}`}`, route, opts);
    });
}
