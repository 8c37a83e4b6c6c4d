// IPv6 networks of a VPC: AWS chooses the network of the VPC, so these are computed when it is known.
import { addressAt, addressText, addressValue, parseCidr } from "../../model/address/address.ts";

const SUBNET_SIZE = 1n << 64n;

/** The /64 of a VPC's network for the subnet with this index: AWS gives a VPC a /56, of 256. */
export function subnetIpv6(vpcCidr: string, index: number): string {
  return `${addressText(parseCidr(vpcCidr).value + BigInt(index) * SUBNET_SIZE)}/64`;
}

/** The address in a subnet that ends with an IPv4 address: 172.31.1.8 in 2a05:d014::/64 is 2a05:d014::ac1f:108. */
export function inSubnetIpv6(subnetCidr: string, address: string): string {
  return addressAt(parseCidr(subnetCidr), addressValue(address) & 0xffff_ffffn);
}
