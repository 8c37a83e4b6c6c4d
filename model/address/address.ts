// Addresses and blocks of both families. Components import this file, so it uses no package that the npm package does not depend on.
import ipaddr from "ipaddr.js";

/** An IPv4 or IPv6 address in its canonical text form (RFC 5952): "172.31.1.8", "fd00::1". IPv4-mapped IPv6 is IPv4. */
export type Address = string;

export const FAMILIES = ["IPv4", "IPv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** A block of addresses. Both families share one space of 128 bits, in which IPv4 is ::ffff:a.b.c.d with prefix 96 + n: the
 * form of every address in a BPF map. */
export interface Cidr {
  /** As people write it: "10.244.0.0/16". Unique per block. */
  readonly text: string;
  readonly family: Family;
  /** The first address. */
  readonly address: Address;
  /** Of 128. */
  readonly prefixLength: number;
  readonly value: bigint;
}

/** The use of an address: "unicast", "loopback", "multicast", "linkLocal", … as ipaddr.js names ranges (RFC 6890); "ipv4Compatible": the
 * rest of ::/96, which no host may use (RFC 4291, 2.5.5.1). */
export type AddressUse = ReturnType<ipaddr.IPv4["range"] | ipaddr.IPv6["range"]> | "ipv4Compatible";

const MAPPED = 0xffff_0000_0000n;

/** The family of an address in text form; undefined if the text is not an address. */
export function familyOf(text: string): Family | undefined {
  if (ipv4Value(text) >= 0) return "IPv4";
  return ipaddr.IPv6.isValid(text) ? "IPv6" : undefined;
}

/** Canonical text of an address; undefined if the text is not an address. */
export function canonicalAddress(text: string): Address | undefined {
  const family = familyOf(text);
  if (!family) return undefined;
  return family === "IPv4" ? text : addressText(addressValue(text));
}

/** The address as a 128-bit number. Throws TypeError if the text is not an address. */
export function addressValue(text: string): bigint {
  const ipv4 = ipv4Value(text);
  if (ipv4 >= 0) return MAPPED + BigInt(ipv4);
  return parseIpv6(text).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The 16 bytes of an address in network order, IPv4 as ::ffff:a.b.c.d. Throws TypeError if the text is not an address. */
export function addressBytes(text: string): readonly number[] {
  return parseIpv4(text) ?? parseIpv6(text);
}

/** The address of 16 bytes in network order. */
export function addressOf(bytes: readonly number[]): Address {
  const mapped = bytes[10] === 0xff && bytes[11] === 0xff && bytes.slice(0, 10).every((byte) => byte === 0);
  return mapped ? bytes.slice(12).join(".") : new ipaddr.IPv6([...bytes]).toRFC5952String();
}

const [DOT, ZERO] = [46, 48];

/** The 32 bits of an IPv4 address in its canonical form; -1 for any other text. Most addresses are IPv4, and a loop over their
 * characters costs less than a regular expression, the library, or a cache of all of them. */
export function ipv4Value(text: string): number {
  let [value, part, parts, digits] = [0, 0, 0, 0];
  for (let index = 0; index <= text.length; index++) {
    const digit = index < text.length ? text.charCodeAt(index) : DOT;
    if (digit === DOT) {
      if (digits === 0) return -1;
      value = value * 256 + part;
      [part, digits] = [0, 0];
      parts++;
      continue;
    }
    if (digit < ZERO || digit > ZERO + 9 || (digits > 0 && part === 0)) return -1; // no leading zeros
    part = part * 10 + digit - ZERO;
    digits++;
    if (part > 255) return -1;
  }
  return parts === 4 ? value : -1;
}

function parseIpv4(text: string): number[] | undefined {
  const value = ipv4Value(text);
  if (value < 0) return undefined;
  const bytes = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes];
}

function parseIpv6(text: string): number[] {
  if (ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text).toByteArray();
  throw new TypeError(`"${text}" is not an IP address; expected the form 172.31.1.8 or fd00::1.`);
}

/** Canonical text of a 128-bit number. */
export function addressText(value: bigint): Address {
  if (value >> 32n === 0xffffn) {
    const number = Number(value & 0xffff_ffffn);
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
  }
  const bytes = Array.from({ length: 16 }, (_, index) => Number((value >> BigInt(8 * (15 - index))) & 0xffn));
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

/** The use of an address. Throws if the text is not an address. */
export function useOf(text: string): AddressUse {
  const use = ipaddr.process(text).range();
  return use === "unicast" && addressValue(text) >> 32n === 0n ? "ipv4Compatible" : use;
}

/** Whether the text is an address of 127.0.0.0/8, or ::1. */
export function isLoopback(text: string): boolean {
  return familyOf(text) !== undefined && useOf(text) === "loopback";
}

/** Parses "10.244.0.0/16" or "fd00::/64"; host bits are cleared. Throws TypeError on anything else. */
export function parseCidr(text: string): Cidr {
  const cidr = readCidr(text);
  if (!cidr) throw new TypeError(`"${text}" is not a CIDR; expected the form 10.244.0.0/16 or fd00::/64.`);
  return cidr;
}

/** The same, undefined for anything else. */
export function readCidr(text: string): Cidr | undefined {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return undefined;
  const [address, digits] = [text.slice(0, slash), text.slice(slash + 1)];
  const family = familyOf(address);
  // A zone is a machine's own name of an interface: a block of addresses has none.
  if (!family || address.includes("%") || !/^\d{1,3}$/.test(digits)) return undefined;
  const bits = widthOf(family);
  const length = Number(digits);
  return length <= bits ? cidrOf(addressValue(address), length + 128 - bits) : undefined;
}

/** The block that holds just this address. Throws TypeError if the text is not an address. */
export function hostCidr(text: string): Cidr {
  return cidrOf(addressValue(text), 128);
}

/** Whether every address of `inner` is one of `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  const within = outer.family === inner.family && outer.prefixLength <= inner.prefixLength;
  return within && masked(inner.value, outer.prefixLength) === outer.value;
}

/** Whether the block has the address. For many addresses: it makes no block of each, and of IPv4 no bigint. */
export function contains({ family, prefixLength, value, address: first }: Cidr, address: Address): boolean {
  const number = ipv4Value(address);
  if (family !== (number >= 0 ? "IPv4" : "IPv6")) return false;
  if (family === "IPv6") return masked(addressValue(address), prefixLength) === value;
  const size = 2 ** (128 - prefixLength);
  return Math.floor(number / size) === Math.floor(ipv4Value(first) / size);
}

/** Whether two blocks have an address in common. */
export function overlap(one: Cidr, other: Cidr): boolean {
  return covers(one, other) || covers(other, one);
}

/** The prefix length as people write it: 16 of "10.244.0.0/16". */
export function writtenLength({ family, prefixLength }: Cidr): number {
  return prefixLength - (128 - widthOf(family));
}

/** How many addresses the block has. */
export function sizeOf({ prefixLength }: Cidr): bigint {
  return 1n << BigInt(128 - prefixLength);
}

/** The block's address number `index`; 0 is the first. */
export function addressAt({ value }: Cidr, index: bigint): Address {
  return addressText(value + index);
}

/** The last address of the block. */
export function lastAddress(cidr: Cidr): Address {
  return addressAt(cidr, sizeOf(cidr) - 1n);
}

/** The directed broadcast address of an IPv4 subnet (RFC 919); undefined where it has none (RFC 3021, IPv6). */
export function broadcastOf(cidr: Cidr): Address | undefined {
  return cidr.family === "IPv4" && sizeOf(cidr) > 2n ? lastAddress(cidr) : undefined;
}

/** Whether the block holds every address of its family. */
export function isEverything(cidr: Cidr): boolean {
  return writtenLength(cidr) === 0;
}

/** The number with the bits behind the prefix cleared. */
export function masked(value: bigint, prefixLength: number): bigint {
  const host = BigInt(128 - prefixLength);
  return (value >> host) << host;
}

function cidrOf(value: bigint, prefixLength: number): Cidr {
  const first = masked(value, prefixLength);
  const address = addressText(first);
  // A block of IPv4-mapped addresses is one of IPv4; wider ones hold other IPv6 addresses too.
  const family = prefixLength >= 96 && first >> 32n === 0xffffn ? "IPv4" : "IPv6";
  const length = prefixLength - (128 - widthOf(family));
  return { text: `${address}/${length}`, family, address, prefixLength, value: first };
}

function widthOf(family: Family): number {
  return family === "IPv4" ? 32 : 128;
}
