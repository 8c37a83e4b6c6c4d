import type * as pulumi from "@pulumi/pulumi";
import { contains } from "../rules/addresses.ts";

/** A subnet of the VPC. */
export interface AwsSubnet {
  /** IPv4 network inside the VPC's. */
  cidr: string;
  /** Availability zone, e.g. "eu-central-1a". Defaults to one that AWS chooses. */
  zone?: pulumi.Input<string>;
  /** Id of a subnet that exists, with a route to the outside; needed where `vpcId` is given, and only there. */
  id?: pulumi.Input<string>;
}

/** Id of the subnet that an address lies in; arguments are checked, so there is one. */
export function subnetOf(
  subnets: { cidr: string; id?: pulumi.Input<string> }[],
  address: string,
): pulumi.Input<string> {
  return subnets.find(({ cidr }) => contains(cidr, address))?.id ?? "";
}
