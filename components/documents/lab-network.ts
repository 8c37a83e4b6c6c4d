// The subnets of a lab, and where its machines are in them. Pure, for components and for the lab.
import { z } from "zod";
import { addressAt, canonicalAddress, parseCidr } from "../../model/address/address.ts";
import {
  cidrRule,
  contains,
  firstAndLast,
  isIpv6,
  prefixLength,
  subnetNetworkIpv6Rule,
  unicastCidrRule,
} from "../rules/addresses.ts";
import { isIpv6Alone, type SaidFamilies } from "../rules/families.ts";
import { labelRule } from "../rules/names.ts";
import { LAB_NETWORK, LAB_NETWORK_IPV6, MTU } from "./defaults.ts";
import { ruled } from "./ruled.ts";

/** A number whose error message gives its limits together with their reason. */
function limited(least: number, most: number, reason = "") {
  return z.number().superRefine((value, context) => {
    if (value < least || value > most)
      context.addIssue({ code: "custom", message: `must be from ${least} to ${most}${reason}`, continue: false });
  });
}

/** How packets reach a machine. */
export const linkSchema = z.strictObject({
  /** Bytes of the largest IP packet, in both directions. Left out: the subnet's, else 1500. */
  mtu: limited(MTU.least, MTU.most, ": machines have IPv6 addresses, and IPv6 needs 1280 (RFC 8200)")
    .pipe(z.int())
    .optional(),
  /** Percent of the packets towards the machine that get lost. */
  lossPercent: limited(0, 100).optional(),
  /** Milliseconds by which each packet towards the machine is late. */
  delayMs: limited(0, 10_000).optional(),
});

export const subnetSchema = z.strictObject({
  name: ruled((name) => labelRule(name, 32)),
  /** Of IPv4; with IPv6 alone one of IPv6. */
  cidr: ruled((cidr) => (isIpv6(cidr) ? subnetNetworkIpv6Rule(cidr) : labSubnetRule(cidr))),
  /** Left out: `subnetIpv6`. */
  cidrIpv6: ruled(subnetNetworkIpv6Rule).optional(),
  /** Of each machine in it, the router too. */
  link: linkSchema.optional(),
});

export type LabLink = z.output<typeof linkSchema>;
export type LabSubnet = z.output<typeof subnetSchema>;

/** The machine's part of a place in the network. */
export interface Placed {
  role?: string | undefined;
  address: string;
  addressIpv6?: string | undefined;
  subnet?: string | undefined;
  link?: LabLink | undefined;
}

/** An IPv4 network for machines, whose addresses differ in their last number. */
export function labSubnetRule(value: string): string | undefined {
  const fault = cidrRule(value) ?? unicastCidrRule(value, 29);
  return fault ?? (prefixLength(value) >= 24 ? undefined : "an IPv4 network from /24 to /29");
}

/** The only subnet of a lab that declares none. */
const FLAT: LabSubnet = { name: "lab", cidr: LAB_NETWORK, cidrIpv6: LAB_NETWORK_IPV6 };
const FLAT_IPV6: LabSubnet = { name: "lab", cidr: LAB_NETWORK_IPV6 };

/** The lab's subnets; the default one if it declares none. */
export function subnetsOf(lab: SaidFamilies & { subnets?: LabSubnet[] | undefined }): LabSubnet[] {
  return lab.subnets ?? [isIpv6Alone(lab) ? FLAT_IPV6 : FLAT];
}

/** A subnet's IPv6 network: the given one, or one with the same numbers (172.31.1.0/24: fd00:172:31:1::/64). */
export function subnetIpv6({ cidr, cidrIpv6 }: LabSubnet): string {
  if (isIpv6(cidr)) return cidr;
  return cidrIpv6 ?? parseCidr(`fd00:${cidr.split(".").slice(0, 3).join(":")}::/64`).text;
}

/** The default gateway of a subnet: its first address, of the router or the switch. */
export function gatewayOf(cidr: string): string {
  return addressAt(parseCidr(cidr), 1n);
}

/** The subnet that a machine names, or the one of its address. */
export function subnetOf(subnets: LabSubnet[], { subnet, address }: Placed): LabSubnet | undefined {
  return subnets.find(({ name, cidr }) => (subnet === undefined ? contains(cidr, address) : name === subnet));
}

/** An address of a subnet that ends with the last number of an IPv4 address (172.31.1.8: fd00:172:31:1::8). */
export function addressIpv6In(subnet: LabSubnet, address: string): string {
  const network = parseCidr(subnetIpv6(subnet)).address; // ends with "::", because a /64 leaves four groups of zeros
  const derived = `${network}${address.slice(address.lastIndexOf(".") + 1)}`;
  return canonicalAddress(derived) ?? derived;
}

/** The gateway that a machine sends to; a router is its own. */
export function gatewayFor(subnets: LabSubnet[], machine: Placed): string {
  return gatewayOf((subnetOf(subnets, machine) ?? subnets[0])?.cidr ?? LAB_NETWORK);
}

/** One interface of a machine; with IPv6 alone both addresses are the same. */
export interface LabInterface {
  device: string;
  /** Index of the subnet that it is in. */
  subnet: number;
  address: string;
  addressIpv6: string | undefined;
  link: LabLink;
}

/** A router has an interface in each subnet, with the gateway's addresses; another machine has one in its own subnet. */
export function interfacesOf(subnets: LabSubnet[], machine: Placed): LabInterface[] {
  if (machine.role === "router")
    return subnets.map((subnet, index) => ({
      device: `eth${index}`,
      subnet: index,
      address: gatewayOf(subnet.cidr),
      addressIpv6: gatewayOf(subnetIpv6(subnet)),
      link: { ...subnet.link, ...machine.link },
    }));
  const { address, addressIpv6 } = machine;
  const index = Math.max(0, subnets.indexOf(subnetOf(subnets, machine) as LabSubnet));
  return [{ device: "eth0", subnet: index, address, addressIpv6, link: { ...subnets[index]?.link, ...machine.link } }];
}

/** The links of machines. */
export function linksOf(subnets: LabSubnet[], machines: Placed[]): LabLink[] {
  return machines.flatMap((machine) => interfacesOf(subnets, machine).map(({ link }) => link));
}

/** Whether an address is one that a machine of a subnet may have: not the network's own, the gateway's or the broadcast one. */
export function isMachineAddress(cidr: string, address: string): boolean {
  return contains(cidr, address) && ![gatewayOf(cidr), ...firstAndLast(cidr)].includes(address);
}
