// A packet as the model sees it. In IPv6 it has the names of its twin in IPv4 (test/packets/twins.ts), so that one model judges both families.
import type { Family } from "../../../model/address/address.ts";
import { extensions, protocols } from "../../packets/frames.ts";
import { type FrameReading, type Reading, readFrame, readInner } from "../../packets/reading.ts";
import { inFamily, twinnedBy } from "../../packets/twins.ts";

export interface Seen extends Reading {
  readonly family: Family;
  /** As it is on the wire. */
  readonly raw: Reading;
}

export interface SeenFrame extends Omit<FrameReading, "ip"> {
  readonly ip: Seen | undefined;
}

/** What no packet on a network has as its source, by what is like it in IPv6. Addresses in ::/96 are keys of the programs' maps. */
const IN_IPV6: Readonly<Record<string, string>> = {
  "127.0.0.1": "::1",
  "127.8.8.8": "::7f08:808",
  "0.0.0.0": "::",
  "0.1.2.3": "::1:203",
  "224.0.0.1": "ff02::1",
  "239.1.1.1": "ff05::2",
  "240.0.0.1": "::f000:1",
  "255.255.255.255": "ff02::2",
};
const IN_IPV4 = new Map(Object.entries(IN_IPV6).map(([name, address]) => [address, name]));

/** The address of that name in IPv6. One that is nobody's twin is its own name. */
export const addressNamed = (name: string): string => IN_IPV6[name] ?? inFamily(name, "IPv6");

/** The name of an address in IPv6. */
export function nameOf(address: string): string {
  if (!address.includes(":")) return `::ffff:${address}`;
  const twin = twinnedBy(address);
  // In IPv6 a twin of these is an address like any other; those of 127/8 are the node's in the maps, as in IPv4.
  return IN_IPV4.get(address) ?? (twin && !/^(0|22[4-9]|2[345]\d)\./.test(twin) ? twin : address);
}

export const isOnLinkOnly = (name: string): boolean => /^fe[89ab]/.test(name);

/** ICMPv6's types and codes as ICMP's (RFC 7915, 5.2). */
const MESSAGES: Readonly<Record<string, readonly [number, number]>> = {
  ...{ "1/0": [3, 1], "1/4": [3, 3], "2/0": [3, 4], "1/1": [3, 13], "3/0": [11, 0], "4/0": [12, 0] },
  ...{ "128/0": [8, 0], "129/0": [0, 0] },
};

export function seen(reading: Reading, family: Family): Seen {
  if (family === "IPv4") return { ...reading, family, raw: reading };
  const names = { source: nameOf(reading.source), destination: nameOf(reading.destination) };
  const { ports, icmp, ...rest } = reading;
  if (reading.protocol === protocols.icmp) return { ...rest, ...names, protocol: OTHER_ICMP, family, raw: reading };
  if (reading.protocol !== protocols.icmpv6) return { ...reading, ...names, family, raw: reading };
  const [type, code] = (icmp && MESSAGES[`${icmp.type}/${icmp.code}`]) ?? [icmp?.type ?? 0, icmp?.code ?? 0];
  return {
    ...{ ...rest, ...names, protocol: protocols.icmp, family, raw: reading },
    ...(ports && { ports }),
    ...(icmp && { icmp: { type, code } }),
  };
}

/** ICMP in IPv6: a protocol that nobody knows there. */
const OTHER_ICMP = 256 + protocols.icmp;

export function seenFrame(frame: Uint8Array): SeenFrame {
  const read = readFrame(frame);
  return { ...read, ip: read.ip && seen(read.ip, read.type === 0x86dd ? "IPv6" : "IPv4") };
}

/** The packet that an ICMP error is about. */
export function innerOf(error: Seen): Seen | undefined {
  const inner = readInner(error.raw);
  return inner && seen(inner, error.family);
}

const READABLE: readonly number[] = [extensions.hopByHop, extensions.destination, extensions.fragment];

/** Of IPv6: with a header that nobody reads on its way, or more than four. */
export const isUnreadable = (ip: Seen): boolean =>
  ip.extensions.length > 4 || ip.extensions.some((number) => !READABLE.includes(number));
