import {
  covers,
  familyOf,
  hostCidr,
  lastAddress,
  overlap as overlapping,
  parseCidr,
  readCidr,
  writtenLength,
} from "../../model/address/address.ts";
import { type InputPlace, refuse } from "../refusal/refusal.ts";

/** Refuses anything but an IPv4 address in four decimal parts. */
export function requireAddress(place: InputPlace, value: string): string {
  return isAddress(value) ? value : refuse(place, value, "an IPv4 address like 172.31.1.8");
}

/** Refuses anything but an IPv4 network whose host bits are zero, and prefixes longer than `longest`. */
export function requireCidr(place: InputPlace, value: string, longest = 32): string {
  if (isAddress(value)) refuse(place, value, `a network with its prefix length (did you mean ${value}/32?)`);
  if (!isCidr(value)) refuse(place, value, "an IPv4 network like 10.244.0.0/16");
  const canonical = parseCidr(value).text;
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
  return overlapping(parseCidr(first), parseCidr(second));
}

/** Whether a valid address lies in a valid network. */
export function contains(cidr: string, address: string): boolean {
  return covers(parseCidr(cidr), hostCidr(address));
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
