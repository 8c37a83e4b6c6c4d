// Builds frames from the descriptions of tests and the fuzzer, of the family of their addresses. Checksums are right unless requested
// otherwise.
import { addressBytes, type Family } from "../../model/address/address.ts";

export interface IpHeader {
  source: string;
  destination: string;
  ttl?: number;
  tos?: number;
  identification?: number;
  /** The word of flags and offset: 0x2000 more fragments, 0x4000 don't fragment, low 13 bits the offset in 8 bytes. */
  fragment?: number;
  /** A multiple of 4 bytes, at most 40; IPv6: in a destination options header. */
  options?: Uint8Array;
  /** IPv6: before the transport, in this order. A fragment header follows them where `fragment` is set. */
  extensions?: readonly Extension[];
}

export interface Extension {
  readonly protocol: number;
  /** Without the byte of the next header; a multiple of 8, less 1. By default 8 bytes of padding. */
  readonly rest?: Uint8Array;
}

/** What an IP header carries. */
export interface Transport {
  protocol: number;
  /** Another one in IPv6. */
  protocolInIpv6?: number;
  /** The bytes, with the checksum over these addresses where the protocol has one. */
  bytes(source: string, destination: string): Uint8Array;
}

export const protocols = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58, sctp: 132 } as const;
export const extensions = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  none: 59,
  destination: 60,
} as const;
export const flags = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 } as const;
const NONE = new Uint8Array(0);

/** @param marks letters of TCP flags, "SA" */
export function tcp(
  source: number,
  destination: number,
  marks = "A",
  payload: Uint8Array = NONE,
  { sequence = 1000, acknowledges = 0 }: { sequence?: number; acknowledges?: number } = {},
): Transport {
  let bits = 0;
  for (const letter of marks) bits |= flags[letter as keyof typeof flags] ?? 0;
  return {
    protocol: protocols.tcp,
    bytes(from, to) {
      const out = Buffer.alloc(20 + payload.length);
      ports(out, source, destination);
      out.writeUInt32BE(sequence, 4);
      out.writeUInt32BE(acknowledges, 8);
      out[12] = 0x50;
      out[13] = bits;
      out.writeUInt16BE(0xffff, 14);
      out.set(payload, 20);
      out.writeUInt16BE(transportChecksum(protocols.tcp, from, to, out), 16);
      return out;
    },
  };
}

export function udp(source: number, destination: number, payload: Uint8Array = NONE, checksum = true): Transport {
  return {
    protocol: protocols.udp,
    bytes(from, to) {
      const out = Buffer.alloc(8 + payload.length);
      ports(out, source, destination);
      out.writeUInt16BE(out.length, 4);
      out.set(payload, 8);
      if (checksum || isIpv6(from)) out.writeUInt16BE(transportChecksum(protocols.udp, from, to, out) || 0xffff, 6);
      return out;
    },
  };
}

export function echo(
  identifier: number,
  type: "request" | "reply" = "request",
  payload: Uint8Array = NONE,
  code = 0,
): Transport {
  const [inIpv4, inIpv6] = type === "request" ? [8, 128] : [0, 129];
  return query(identifier, [inIpv4, code], [inIpv6, code], payload);
}

/** Of IPv6 node information, the other query that it has (RFC 4620). */
export function timestamp(identifier: number, type: "request" | "reply" = "request"): Transport {
  const [inIpv4, inIpv6] = type === "request" ? [13, 139] : [14, 140];
  return query(identifier, [inIpv4, 0], [inIpv6, 0], Buffer.alloc(12));
}

/** `message` and `inIpv6`: type and code. */
export function query(
  identifier: number,
  message: readonly [number, number],
  inIpv6 = message,
  payload: Uint8Array = NONE,
): Transport {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(identifier, 0);
  return icmp(message, inIpv6, rest, () => payload);
}

/** A packet that an error is about: its IP header and what follows, as an `ip()` without Ethernet. */
export type About = Uint8Array | ((family: Family) => Uint8Array);

/** The errors of ICMP as those of ICMPv6 (RFC 7915, 4.2). */
const ERRORS_IN_IPV6: Readonly<Record<string, readonly [number, number]>> = {
  "3/1": [1, 0],
  "3/3": [1, 4],
  "3/4": [2, 0],
  "3/13": [1, 1],
  "11/0": [3, 0],
  "12/0": [4, 0],
};

/** By its number in ICMP. */
export function icmpError(type: number, code: number, about: About, mtu = 0): Transport {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(mtu, 2);
  const inIpv6 = ERRORS_IN_IPV6[`${type}/${code}`] ?? [type, code];
  return icmp([type, code], inIpv6, rest, (family) => (typeof about === "function" ? about(family) : about));
}

/** A message of ICMPv6 by its own number. */
export function icmpv6(type: number, payload: Uint8Array = NONE, rest: Uint8Array = Buffer.alloc(4)): Transport {
  return icmp([type, 0], [type, 0], rest, () => payload);
}

/** `message` and `inIpv6`: type and code. */
function icmp(
  message: readonly [number, number],
  inIpv6: readonly [number, number],
  rest: Uint8Array,
  payload: (family: Family) => Uint8Array,
): Transport {
  return {
    protocol: protocols.icmp,
    protocolInIpv6: protocols.icmpv6,
    bytes(from, to) {
      const carried = payload(isIpv6(from) ? "IPv6" : "IPv4");
      const out = Buffer.alloc(8 + carried.length);
      out.set(isIpv6(from) ? inIpv6 : message, 0);
      out.set(rest, 4);
      out.set(carried, 8);
      out.writeUInt16BE(isIpv6(from) ? transportChecksum(protocols.icmpv6, from, to, out) : checksum(out), 2);
      return out;
    },
  };
}

/** VXLAN to the port 4789, around a whole frame. `group` is the group policy id; 0: none. */
export function vxlan(sourcePort: number, vni: number, group: number, frame: Uint8Array): Transport {
  const header = Buffer.alloc(8);
  header.writeUInt32BE((group ? 0x88000000 | group : 0x08000000) >>> 0, 0);
  header.writeUInt32BE((vni << 8) >>> 0, 4);
  return udp(sourcePort, 4789, Buffer.concat([header, frame]), false);
}

/** IPv4 in IPv4 (RFC 2003), around a whole packet. */
export function ipip(packet: Uint8Array): Transport {
  return raw(4, packet);
}

export function raw(protocol: number, payload: Uint8Array = NONE): Transport {
  return { protocol, bytes: () => payload };
}

/** An IP packet without Ethernet. */
export function ip(header: IpHeader, transport: Transport): Buffer {
  return isIpv6(header.source) ? ipv6(header, transport) : ipv4(header, transport);
}

function ipv6(header: IpHeader, transport: Transport): Buffer {
  const carried = transport.bytes(header.source, header.destination);
  const chain = Buffer.concat(chainOf(header, transport.protocolInIpv6 ?? transport.protocol));
  const out = Buffer.alloc(40);
  out.writeUInt32BE(((6 << 28) | ((header.tos ?? 0) << 20)) >>> 0, 0);
  out.writeUInt16BE((chain.length - 1 + carried.length) & 0xffff, 4);
  out[6] = chain[0] as number;
  out[7] = header.ttl ?? 64;
  out.set(addressBytes(header.source), 8);
  out.set(addressBytes(header.destination), 24);
  return Buffer.concat([out, chain.subarray(1), carried]);
}

/** The number of the first header, then each extension header: its next header and the rest. */
function chainOf(header: IpHeader, protocol: number): Uint8Array[] {
  const wanted: Extension[] = [...(header.extensions ?? [])];
  if (header.options) wanted.push({ protocol: extensions.destination, rest: inOptions(header.options) });
  if (header.fragment !== undefined && header.fragment !== 0x4000) {
    const rest = Buffer.alloc(7);
    rest.writeUInt16BE(((header.fragment & 0x1fff) << 3) | (header.fragment & 0x2000 ? 1 : 0), 1);
    rest.writeUInt32BE(header.identification ?? 1, 3);
    wanted.push({ protocol: extensions.fragment, rest });
  }
  const numbers = [...wanted.map((item) => item.protocol), protocol];
  const padding = Uint8Array.of(0, 1, 4, 0, 0, 0, 0); // length 0, PadN
  return [Uint8Array.of(numbers[0] as number)].concat(
    wanted.map(({ rest = padding }, index) => Uint8Array.of(numbers[index + 1] as number, ...rest)),
  );
}

/** As much padding as the options of IPv4. */
function inOptions(options: Uint8Array): Uint8Array {
  const length = Math.ceil((options.length + 2) / 8) * 8 - 1;
  const rest = Buffer.alloc(length); // Pad1 everywhere
  rest[0] = (length + 1) / 8 - 1;
  return rest;
}

function ipv4(header: IpHeader, transport: Transport): Buffer {
  const options = header.options ?? NONE;
  const carried = transport.bytes(header.source, header.destination);
  const length = 20 + options.length;
  const out = Buffer.alloc(length + carried.length);
  out[0] = 0x40 | (length >> 2);
  out[1] = header.tos ?? 0;
  out.writeUInt16BE(out.length & 0xffff, 2);
  out.writeUInt16BE(header.identification ?? 1, 4);
  out.writeUInt16BE(header.fragment ?? 0, 6);
  out[8] = header.ttl ?? 64;
  out[9] = transport.protocol;
  out.writeUInt32BE(addressNumber(header.source), 12);
  out.writeUInt32BE(addressNumber(header.destination), 16);
  out.set(options, 20);
  out.writeUInt16BE(checksum(out.subarray(0, length)), 10);
  out.set(carried, length);
  return out;
}

export interface Macs {
  source?: string;
  destination?: string;
}

export function ethernet(payload: Uint8Array, type = 0x0800, { source, destination }: Macs = {}): Buffer {
  const out = Buffer.alloc(14 + payload.length);
  out.write((destination ?? "02:00:00:00:00:01").replaceAll(":", ""), 0, "hex");
  out.write((source ?? "02:00:00:00:00:02").replaceAll(":", ""), 6, "hex");
  out.writeUInt16BE(type, 12);
  out.set(payload, 14);
  return out;
}

export interface Arp {
  readonly operation: "request" | "reply";
  readonly senderMac: string;
  readonly sender: string;
  readonly target: string;
  readonly targetMac?: string;
}

/** RFC 826, in a broadcast frame of its sender. */
export function arp({ operation, senderMac, sender, target, targetMac }: Arp): Buffer {
  const mac = (text = "00:00:00:00:00:00") => Buffer.from(text.replaceAll(":", ""), "hex");
  const out = Buffer.alloc(46); // the shortest Ethernet frame
  out.set([0, 1, 8, 0, 6, 4, 0, operation === "request" ? 1 : 2]);
  out.set(mac(senderMac), 8);
  out.writeUInt32BE(addressNumber(sender), 14);
  out.set(mac(targetMac), 18);
  out.writeUInt32BE(addressNumber(target), 24);
  return ethernet(out, 0x0806, { source: senderMac, destination: "ff:ff:ff:ff:ff:ff" });
}

/** An IP packet in its frame. */
export function frame(header: IpHeader, transport: Transport, macs: Macs = {}): Buffer {
  return ethernet(ip(header, transport), isIpv6(header.source) ? 0x86dd : 0x0800, macs);
}

export function isIpv6(address: string): boolean {
  return address.includes(":");
}

function addressNumber(text: string): number {
  let value = 0;
  for (const part of text.split(".")) value = value * 256 + Number(part);
  return value;
}

/** RFC 1071. */
export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (bytes.length & 1) sum += (bytes[bytes.length - 1] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Over the pseudo header too (RFC 9293, 3.1); 0 over bytes that contain a correct one. */
export function transportChecksum(protocol: number, source: string, destination: string, bytes: Uint8Array): number {
  return checksum(bytes, addressSum(source) + addressSum(destination) + protocol + bytes.length);
}

function addressSum(address: string): number {
  if (isIpv6(address)) return wordSum(addressBytes(address));
  const number = addressNumber(address);
  return (number >>> 16) + (number & 0xffff);
}

function wordSum(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte, at) => sum + (at % 2 ? byte : byte << 8), 0);
}

function ports(out: Buffer, source: number, destination: number): void {
  out.writeUInt16BE(source, 0);
  out.writeUInt16BE(destination, 2);
}
