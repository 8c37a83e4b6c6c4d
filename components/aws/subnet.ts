import * as pulumi from "@pulumi/pulumi";
import { contains } from "../rules/addresses.ts";
import { inSubnetIpv6 } from "./ipv6-networks.ts";

/** A subnet of the VPC. */
export interface AwsSubnet {
  /** IPv4 network inside the VPC's. */
  cidr: string;
  /** Availability zone, e.g. "eu-central-1a". Defaults to one that AWS chooses. */
  zone?: pulumi.Input<string>;
  /** Id of a subnet that exists, with a route to the outside; needed where `vpcId` is given, and only there. */
  id?: pulumi.Input<string>;
  /** IPv6 network of a subnet that exists, a /64: machines in it get an IPv6 address too. Defaults to none. */
  cidrIpv6?: pulumi.Input<string>;
}

/** The subnet of a machine. Arguments were checked before, so it exists. */
export interface SubnetPlace {
  subnetId: pulumi.Input<string>;
  /** Absent where the subnet has IPv4 only. */
  addressIpv6?: pulumi.Input<string>;
}

/** The subnet that an address lies in, and the machine's IPv6 address there. */
export function placeIn(subnets: Pick<AwsSubnet, "cidr" | "id" | "cidrIpv6">[], address: string): SubnetPlace {
  const { id = "", cidrIpv6 } = subnets.find(({ cidr }) => contains(cidr, address)) ?? {};
  if (cidrIpv6 === undefined) return { subnetId: id };
  return { subnetId: id, addressIpv6: pulumi.output(cidrIpv6).apply((known) => inSubnetIpv6(known, address)) };
}
