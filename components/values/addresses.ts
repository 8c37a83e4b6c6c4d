import { IPv4 } from "ipaddr.js";
import { type InputPlace, refuse } from "../refusal/refusal";

/** Refuses anything but an IPv4 address in four decimal parts. */
export function requireAddress(place: InputPlace, value: string): string {
  return isAddress(value) ? value : refuse(place, value, "an IPv4 address like 172.31.1.8");
}

/** Refuses anything but an IPv4 network whose host bits are zero, and prefixes longer than `longest`. */
export function requireCidr(place: InputPlace, value: string, longest = 32): string {
  if (isAddress(value)) refuse(place, value, `a network with its prefix length (did you mean ${value}/32?)`);
  if (!isCidr(value)) refuse(place, value, "an IPv4 network like 10.244.0.0/16");
  const canonical = `${IPv4.networkAddressFromCIDR(value)}/${prefixLength(value)}`;
  if (canonical !== value) refuse(place, value, `a network address (did you mean ${canonical}?)`);
  if (prefixLength(value) > longest) refuse(place, value, `a network of at least /${longest}`);
  return value;
}

/** Networks that no machine or pod can have addresses of (RFC 6890), and what they are. */
const SPECIAL = {
  "0.0.0.0/8": "this host",
  "127.0.0.0/8": "loopback",
  "169.254.0.0/16": "link-local",
  "224.0.0.0/4": "multicast",
  "240.0.0.0/4": "reserved",
};

/** Refuses, besides what `requireCidr` refuses, networks with addresses that nobody can have. */
export function requireUnicastCidr(place: InputPlace, value: string, longest = 32): string {
  requireCidr(place, value, longest);
  const special = Object.entries(SPECIAL).find(([cidr]) => overlap(cidr, value));
  return special ? refuse(place, value, `apart from ${special[0]} (${special[1]})`) : value;
}

/** Refuses what is no network for Services: kube-apiserver takes at most 20 bits of host part. */
export function requireServiceSubnet(place: InputPlace, value: string): string {
  requireUnicastCidr(place, value, 24);
  return prefixLength(value) >= 12 ? value : refuse(place, value, "a network from /12 to /24");
}

/** Whether two valid networks have an address in common. */
export function overlap(first: string, second: string): boolean {
  const shorter = Math.min(prefixLength(first), prefixLength(second));
  return IPv4.parse(networkOf(first)).match(IPv4.parse(networkOf(second)), shorter);
}

/** Whether a valid address lies in a valid network. */
export function contains(cidr: string, address: string): boolean {
  return IPv4.parse(address).match(IPv4.parseCIDR(cidr));
}

/** Number of leading one bits of a valid network's mask. */
export function prefixLength(cidr: string): number {
  return Number(cidr.split("/")[1]);
}

/** First and last address of a valid network. */
export function firstAndLast(cidr: string): [string, string] {
  return [IPv4.networkAddressFromCIDR(cidr).toString(), IPv4.broadcastAddressFromCIDR(cidr).toString()];
}

function networkOf(cidr: string): string {
  return cidr.split("/")[0] ?? cidr;
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && IPv4.isValidFourPartDecimal(value);
}

function isCidr(value: unknown): value is string {
  return typeof value === "string" && IPv4.isValidCIDRFourPartDecimal(value) && !/\/0\d/.test(value);
}
