// What addresses and networks may be. A rule says what a value must be instead, or nothing where it is right.
import {
  canonicalAddress,
  covers,
  familyOf,
  hostCidr,
  lastAddress,
  overlap,
  parseCidr,
  readCidr,
  writtenLength,
} from "../../model/address/address.ts";

/** An IPv4 address in four decimal parts. */
export function addressRule(value: unknown): string | undefined {
  return isAddress(value) ? undefined : "an IPv4 address like 172.31.1.8";
}

/** An IPv6 address in its canonical form (RFC 5952). */
export function addressIpv6Rule(value: unknown): string | undefined {
  if (typeof value !== "string" || familyOf(value) !== "IPv6") return "an IPv6 address like fd00:172:31:1::8";
  const canonical = canonicalAddress(value);
  return canonical === value ? undefined : `an IPv6 address in its shortest form (did you mean ${canonical}?)`;
}

/** An address of either family. */
export function anyAddressRule(value: string): string | undefined {
  return isIpv6(value) ? addressIpv6Rule(value) : addressRule(value);
}

/** An IPv4 network whose host bits are zero, with a prefix of at most `longest`. */
export function cidrRule(value: unknown, longest = 32): string | undefined {
  if (isAddress(value)) return `a network with its prefix length (did you mean ${value}/32?)`;
  if (!isCidr(value)) return "an IPv4 network like 10.244.0.0/16";
  const canonical = parseCidr(value).text;
  if (canonical !== value) return `a network address (did you mean ${canonical}?)`;
  return prefixLength(value) > longest ? `a network of at least /${longest}` : undefined;
}

/** An IPv6 network in its canonical form, whose host bits are zero. */
function cidrIpv6Rule(value: unknown): string | undefined {
  const network = typeof value === "string" ? readCidr(value) : undefined;
  if (network?.family !== "IPv6") return "an IPv6 network like fd00:10:244::/56";
  return network.text === value ? undefined : `a network address (did you mean ${network.text}?)`;
}

/** Networks that no machine or pod can have addresses of (RFC 6890), and what they are. */
const SPECIAL = {
  "0.0.0.0/8": "this host",
  "127.0.0.0/8": "loopback",
  "169.254.0.0/16": "link-local",
  "224.0.0.0/4": "multicast",
  "240.0.0.0/4": "reserved",
};

/** A network whose addresses machines and pods can have. */
export function unicastCidrRule(value: string, longest = 32): string | undefined {
  const fault = cidrRule(value, longest);
  if (fault !== undefined) return fault;
  const special = Object.entries(SPECIAL).find(([cidr]) => networksOverlap(cidr, value));
  return special && `apart from ${special[0]} (${special[1]})`;
}

/** IPv6 networks that no machine or pod can have addresses of (RFC 4291), and what they are. */
const SPECIAL_IPV6 = { "::/8": "reserved", "fe80::/10": "link-local", "ff00::/8": "multicast" };

/** An IPv6 network whose addresses machines and pods can have. */
function unicastCidrIpv6Rule(value: string): string | undefined {
  const fault = cidrIpv6Rule(value);
  if (fault !== undefined) return fault;
  const special = Object.entries(SPECIAL_IPV6).find(([cidr]) => networksOverlap(cidr, value));
  return special && `apart from ${special[0]} (${special[1]})`;
}

/** An IPv6 network for pods. The controller manager gives each node a /64 of it, and takes at most 16 bits of those. */
export function podNetworkIpv6Rule(value: string): string | undefined {
  return unicastCidrIpv6Rule(value) ?? lengthFault(value, 48, 64);
}

/** An IPv6 network for Services: kube-apiserver takes at most 20 bits of host part. */
export function serviceNetworkIpv6Rule(value: string): string | undefined {
  return unicastCidrIpv6Rule(value) ?? lengthFault(value, 108, 120);
}

/** An IPv6 network for the machines of a link. */
export function subnetNetworkIpv6Rule(value: string): string | undefined {
  return unicastCidrIpv6Rule(value) ?? (prefixLength(value) === 64 ? undefined : "an IPv6 network of /64");
}

function lengthFault(cidr: string, least: number, most: number): string | undefined {
  const length = prefixLength(cidr);
  return length >= least && length <= most ? undefined : `an IPv6 network from /${least} to /${most}`;
}

/** A network of either address family whose addresses machines and pods can have. */
export function anyUnicastCidrRule(value: string): string | undefined {
  return isIpv6(value) ? unicastCidrIpv6Rule(value) : unicastCidrRule(value);
}

/** A network of either address family. */
export function anyCidrRule(value: string): string | undefined {
  return isIpv6(value) ? cidrIpv6Rule(value) : cidrRule(value);
}

/** Whether an address or a network is, or was meant to be, one of IPv6. */
export function isIpv6(text: string): boolean {
  return text.includes(":");
}

/** A network for pods: nodes take blocks of it. */
export const podNetworkRule = (value: string): string | undefined => unicastCidrRule(value, 24);

/** A network for Services: kube-apiserver takes at most 20 bits of host part. */
export function serviceNetworkRule(value: string): string | undefined {
  return unicastCidrRule(value, 24) ?? (prefixLength(value) >= 12 ? undefined : "a network from /12 to /24");
}

/** Whether two valid networks have an address in common. */
export function networksOverlap(first: string, second: string): boolean {
  return overlap(parseCidr(first), parseCidr(second));
}

/** Whether a valid address lies in a valid network. */
export function contains(cidr: string, address: string): boolean {
  return covers(parseCidr(cidr), hostCidr(address));
}

/** Whether every address of a valid network lies in the other one. */
export function isInside(outer: string, inner: string): boolean {
  return covers(parseCidr(outer), parseCidr(inner));
}

/** Number of leading one bits of a valid network's mask. */
export function prefixLength(cidr: string): number {
  return writtenLength(parseCidr(cidr));
}

/** First and last address of a valid network. */
export function firstAndLast(cidr: string): [string, string] {
  const network = parseCidr(cidr);
  return [network.address, lastAddress(network)];
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && familyOf(value) === "IPv4";
}

function isCidr(value: unknown): value is string {
  return typeof value === "string" && readCidr(value)?.family === "IPv4" && !/:|\/0\d/.test(value);
}
