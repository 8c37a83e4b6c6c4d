// A parser that shares no code with bpf/net/parse.h: its results are compared with what the packet path did.
import { addressOf } from "../../model/address/address.ts";
import { checksum, isIpv6, protocols, transportChecksum } from "./frames.ts";
import { sctpChecksumIsRight } from "./sctp.ts";

/** The fields of an IP header and the first bytes after it. Bytes outside the frame are never read. */
export interface Reading {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** IPv6: the hop limit and the traffic class. */
  readonly ttl: number;
  readonly tos: number;
  /** IPv6: with the extension headers. */
  readonly headerLength: number;
  readonly totalLength: number;
  /** Bytes from the IP header to the end of the frame. */
  readonly available: number;
  /** IPv6: of its fragment header; 0 without one. */
  readonly identification: number;
  readonly moreFragments: boolean;
  /** In bytes. */
  readonly fragmentOffset: number;
  readonly headerChecksumRight: boolean;
  /** IPv6: the numbers of its extension headers. */
  readonly extensions: readonly number[];
  /** TCP, UDP and SCTP; ICMP: the identifier of who asks, and 7 (echo), 37 (timestamp, RFC 868), 15 or 17 of who is asked. */
  readonly ports?: { readonly source: number; readonly destination: number };
  readonly tcpFlags?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
  /** Where the IP payload begins in `bytes`. */
  readonly payload: Uint8Array;
}

export interface FrameReading {
  readonly destinationMac: string;
  readonly sourceMac: string;
  readonly type: number;
  readonly ip: Reading | undefined;
  readonly arp: ArpReading | undefined;
}

export interface ArpReading {
  readonly operation: number;
  readonly senderMac: string;
  readonly sender: string;
  readonly targetMac: string;
  readonly target: string;
}

export function readFrame(frame: Uint8Array): FrameReading {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const type = bytes.readUInt16BE(12);
  return {
    destinationMac: macText(bytes, 0),
    sourceMac: macText(bytes, 6),
    type,
    ip: type === 0x0800 || type === 0x86dd ? readIp(bytes.subarray(14), type === 0x86dd) : undefined,
    arp: type === 0x0806 && bytes.length >= 42 ? readArp(bytes.subarray(14)) : undefined,
  };
}

function readArp(bytes: Buffer): ArpReading {
  return {
    operation: bytes.readUInt16BE(6),
    senderMac: macText(bytes, 8),
    sender: addressText(bytes, 14),
    targetMac: macText(bytes, 18),
    target: addressText(bytes, 24),
  };
}

/** undefined: there is no header of that version. */
function readIp(bytes: Buffer, inIpv6 = false): Reading | undefined {
  return inIpv6 ? readIpv6(bytes) : readIpv4(bytes);
}

const SKIPPED = new Set([0, 43, 44, 51, 60]);

/** All extension headers that can be skipped, as a receiver does. */
function readIpv6(bytes: Buffer): Reading | undefined {
  if (bytes.length < 40 || (bytes[0] as number) >> 4 !== 6) return undefined;
  const extensions: number[] = [];
  let [protocol, at, fragment, identification] = [bytes[6] as number, 40, 0, 0];
  while (SKIPPED.has(protocol) && at + 8 <= bytes.length && fragment >> 3 === 0) {
    extensions.push(protocol);
    const length = bytes[at + 1] as number;
    if (protocol === 44) [fragment, identification] = [bytes.readUInt16BE(at + 2), bytes.readUInt32BE(at + 4)];
    const next = bytes[at] as number;
    at += protocol === 44 ? 8 : protocol === 51 ? (length + 2) * 4 : (length + 1) * 8;
    protocol = next;
  }
  const payload = bytes.subarray(at);
  const fragmentOffset = fragment & 0xfff8;
  return {
    source: addressOf([...bytes.subarray(8, 24)]),
    destination: addressOf([...bytes.subarray(24, 40)]),
    ...{ protocol, ttl: bytes[7] as number, tos: (bytes.readUInt16BE(0) >> 4) & 0xff },
    ...{ headerLength: at, totalLength: 40 + bytes.readUInt16BE(4), available: bytes.length },
    ...{ identification, moreFragments: (fragment & 1) !== 0, fragmentOffset, headerChecksumRight: true },
    ...{ extensions, payload },
    ...(fragmentOffset === 0 && readTransport(protocol, payload)),
  };
}

function readIpv4(bytes: Buffer): Reading | undefined {
  if (bytes.length < 20) return undefined;
  const first = bytes[0] as number;
  const headerLength = (first & 0xf) * 4;
  if (first >> 4 !== 4 || headerLength < 20) return undefined;
  const fragment = bytes.readUInt16BE(6);
  const protocol = bytes[9] as number;
  const payload = bytes.subarray(headerLength);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  return {
    source: addressText(bytes, 12),
    destination: addressText(bytes, 16),
    protocol,
    ttl: bytes[8] as number,
    tos: bytes[1] as number,
    headerLength,
    totalLength: bytes.readUInt16BE(2),
    available: bytes.length,
    identification: bytes.readUInt16BE(4),
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset,
    headerChecksumRight: bytes.length >= headerLength && checksum(bytes.subarray(0, headerLength)) === 0,
    payload,
    extensions: [],
    ...(fragmentOffset === 0 && readTransport(protocol, payload)),
  };
}

/** Queries and their answers: echo, timestamp, information, address mask; RFC 862: who is asked for an echo has that protocol's port. */
const QUERIES = { IPv4: { 8: 7, 13: 37, 15: 15, 17: 17 }, IPv6: { 128: 7, 139: 37 } } as const;
const ANSWERS = { IPv4: { 0: 7, 14: 37, 16: 15, 18: 17 }, IPv6: { 129: 7, 140: 37 } } as const;

function readTransport(protocol: number, payload: Buffer): Pick<Reading, "ports" | "tcpFlags" | "icmp"> {
  if (protocol === 6 && payload.length >= 20) return { ports: portsAt(payload), tcpFlags: payload[13] as number };
  if ((protocol === 17 || protocol === protocols.sctp) && payload.length >= 8) return { ports: portsAt(payload) };
  const inIpv6 = protocol === protocols.icmpv6;
  if ((protocol !== 1 && !inIpv6) || payload.length < 8) return {};
  const icmp = { type: payload[0] as number, code: payload[1] as number };
  const family = inIpv6 ? "IPv6" : "IPv4";
  const asked = (QUERIES[family] as Record<number, number>)[icmp.type];
  const answers = (ANSWERS[family] as Record<number, number>)[icmp.type];
  const identifier = payload.readUInt16BE(4);
  if (asked !== undefined) return { icmp, ports: { source: identifier, destination: asked } };
  return answers === undefined ? { icmp } : { icmp, ports: { source: answers, destination: identifier } };
}

/** The packet that an ICMP error is about; its ports are in the first 8 bytes that follow its header (RFC 792). */
export function readInner(error: Reading): Reading | undefined {
  const inner = readIp(Buffer.from(error.payload.subarray(8)), isIpv6(error.source));
  if (!inner || inner.payload.length < 8 || inner.ports) return inner;
  const bytes = Buffer.from(inner.payload);
  return inner.protocol === 6 ? { ...inner, ports: portsAt(bytes) } : inner;
}

export interface VxlanReading {
  readonly vni: number;
  readonly group: number;
  readonly inner: FrameReading;
}

/** What a UDP packet to port 4789 wraps; undefined: nothing readable. */
export function readVxlan({ protocol, ports, payload }: Reading): VxlanReading | undefined {
  if (protocol !== 17 || ports?.destination !== 4789 || payload.length < 8 + 8 + 14) return undefined;
  const bytes = Buffer.from(payload);
  const words = bytes.readUInt32BE(8);
  return {
    vni: bytes.readUInt32BE(12) >>> 8,
    group: words & 0x80000000 ? words & 0xffff : 0,
    inner: readFrame(bytes.subarray(16)),
  };
}

/** The IPv4 packet in one of protocol 4; undefined: nothing readable. */
export function readIpip({ protocol, payload }: Reading): Reading | undefined {
  return protocol === 4 ? readIp(Buffer.from(payload)) : undefined;
}

/** Why a packet is malformed; empty: it is well-formed. Whole packets only: a fragment's checksum cannot be checked. */
export function faults(ip: Reading): string[] {
  const found: string[] = [];
  if (!ip.headerChecksumRight) found.push("its IP checksum is wrong");
  if (ip.totalLength < ip.headerLength) found.push("it is shorter than its header");
  if (ip.totalLength > ip.available) found.push("it says that it is longer than its frame");
  if (found.length > 0 || ip.moreFragments || ip.fragmentOffset > 0) return found;
  const carried = ip.payload.subarray(0, ip.totalLength - ip.headerLength);
  const inIpv6 = isIpv6(ip.source);
  const hasSum = inIpv6 || ip.protocol !== 17 || (carried[6] as number) + (carried[7] as number) > 0;
  const sums = [protocols.tcp, protocols.udp, ...(inIpv6 ? [protocols.icmpv6] : [])] as number[];
  if (ip.protocol === 17 && carried.length >= 8 && Buffer.from(carried).readUInt16BE(4) !== carried.length)
    found.push("its UDP length is not its own");
  if (ip.protocol === protocols.sctp && carried.length >= 12 && !sctpChecksumIsRight(carried))
    found.push("its SCTP checksum is wrong");
  if (ip.protocol === 1 && checksum(carried) !== 0) found.push("its ICMP checksum is wrong");
  else if (sums.includes(ip.protocol) && carried.length >= 8 && hasSum) {
    if (transportChecksum(ip.protocol, ip.source, ip.destination, carried) !== 0) found.push("its checksum is wrong");
  }
  return found;
}

function portsAt(bytes: Buffer): { source: number; destination: number } {
  return { source: bytes.readUInt16BE(0), destination: bytes.readUInt16BE(2) };
}

function addressText(bytes: Buffer, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function macText(bytes: Buffer, at: number): string {
  return bytes.toString("hex", at, at + 6).replace(/(..)(?=.)/g, "$1:");
}

/** It is still to be computed. */
export function hasNoSctpChecksum({ protocol, payload, fragmentOffset }: Reading): boolean {
  return (
    protocol === protocols.sctp &&
    fragmentOffset === 0 &&
    payload.length >= 12 &&
    Buffer.from(payload).readUInt32LE(8) === 0
  );
}
