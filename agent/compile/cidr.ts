import ipaddr from "ipaddr.js";
import type { Address } from "../kernel/address.ts";

/** An address block in the form of the map `locations`: 128 bits, IPv4 as ::ffff:a.b.c.d with prefix 96 + n. */
export interface Cidr {
  /** As people write it: "10.244.0.0/16". Unique per block. */
  readonly text: string;
  readonly family: Family;
  readonly address: Address;
  readonly prefixLength: number;
  readonly value: bigint;
}

export type Family = "IPv4" | "IPv6";

const MAPPED = 0xffff_0000_0000n;

/** The family of an address in text form; undefined when it is none. */
export function familyOf(text: string): Family | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return "IPv4";
  return ipaddr.IPv6.isValid(text) ? "IPv6" : undefined;
}

/** Canonical text of an address (RFC 5952; IPv4-mapped as IPv4), undefined when it is none. */
export function canonicalAddress(text: string): Address | undefined {
  const family = familyOf(text);
  if (!family) return undefined;
  return family === "IPv4" ? text : addressText(addressValue(text));
}

/** The address as a 128-bit number. Throws TypeError on anything that is no address. */
export function addressValue(text: Address): bigint {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    const [a, b, c, d] = text.split(".").map(Number) as [number, number, number, number];
    return MAPPED + BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  }
  if (!ipaddr.IPv6.isValid(text)) throw new TypeError(`"${text}" is no IP address.`);
  return ipaddr.IPv6.parse(text)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function addressText(value: bigint): Address {
  const bytes = Array.from({ length: 16 }, (_, index) => Number((value >> BigInt(8 * (15 - index))) & 0xffn));
  const mapped = value >> 32n === 0xffffn;
  return mapped ? bytes.slice(12).join(".") : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** Parses "10.244.0.0/16" or "fd00::/64"; host bits are cleared. Throws TypeError on anything else. */
export function parseCidr(text: string): Cidr {
  const slash = text.lastIndexOf("/");
  const family = familyOf(text.slice(0, slash));
  const length = Number(text.slice(slash + 1));
  const bits = family === "IPv4" ? 32 : 128;
  if (!family || slash < 0 || !Number.isInteger(length) || length < 0 || length > bits) {
    throw new TypeError(`"${text}" is no CIDR; expected the form 10.244.0.0/16 or fd00::/64.`);
  }
  return cidrOf(addressValue(text.slice(0, slash)), length + 128 - bits, family);
}

/** The block that holds just this address. */
export function hostCidr(text: Address): Cidr {
  return cidrOf(addressValue(text), 128, familyOf(text) ?? "IPv6");
}

/** Whether every address of `inner` is one of `outer`. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  const within = outer.family === inner.family && outer.prefixLength <= inner.prefixLength;
  return within && mask(inner.value, outer.prefixLength) === outer.value;
}

/** Whether two blocks have an address in common. */
export function overlap(one: Cidr, other: Cidr): boolean {
  return covers(one, other) || covers(other, one);
}

/** The directed broadcast address of an IPv4 subnet (RFC 919); undefined where it has none (RFC 3021, IPv6). */
export function broadcastOf({ family, prefixLength, value }: Cidr): Address | undefined {
  const hostBits = BigInt(128 - prefixLength);
  return family === "IPv4" && hostBits > 1n ? addressText(value | ((1n << hostBits) - 1n)) : undefined;
}

function cidrOf(value: bigint, prefixLength: number, family: Family): Cidr {
  const masked = mask(value, prefixLength);
  const address = addressText(masked);
  const length = family === "IPv4" ? prefixLength - 96 : prefixLength;
  return { text: `${address}/${length}`, family, address, prefixLength, value: masked };
}

function mask(value: bigint, prefixLength: number): bigint {
  const host = BigInt(128 - prefixLength);
  return (value >> host) << host;
}

/** A set of blocks that can be asked which of them cover another. */
export class CidrIndex<T> {
  readonly #byLength = new Map<string, { prefixLength: number; family: Family; blocks: Map<bigint, T> }>();
  #lengths: { prefixLength: number; family: Family; blocks: Map<bigint, T> }[] = [];

  set(cidr: Cidr, value: T): void {
    const id = `${cidr.family}/${cidr.prefixLength}`;
    let length = this.#byLength.get(id);
    if (!length) {
      length = { prefixLength: cidr.prefixLength, family: cidr.family, blocks: new Map() };
      this.#byLength.set(id, length);
      this.#lengths = [...this.#byLength.values()].sort((a, b) => b.prefixLength - a.prefixLength);
    }
    length.blocks.set(cidr.value, value);
  }

  /** What is stored for this very block. */
  at({ family, prefixLength, value }: Cidr): T | undefined {
    return this.#byLength.get(`${family}/${prefixLength}`)?.blocks.get(value);
  }

  /** What is stored for the blocks that contain `cidr` (itself included), the longest first. */
  covering(cidr: Cidr): T[] {
    const found: T[] = [];
    for (const { prefixLength, family, blocks } of this.#lengths) {
      if (prefixLength > cidr.prefixLength || family !== cidr.family) continue;
      const value = blocks.get(mask(cidr.value, prefixLength));
      if (value !== undefined) found.push(value);
    }
    return found;
  }
}
