// Builds frames from the descriptions of tests and the fuzzer. Checksums are right unless requested otherwise.

export interface IpHeader {
  source: string;
  destination: string;
  ttl?: number;
  tos?: number;
  identification?: number;
  /** The word of flags and offset: 0x2000 more fragments, 0x4000 don't fragment, low 13 bits the offset in 8 bytes. */
  fragment?: number;
  /** A multiple of 4 bytes, at most 40. */
  options?: Uint8Array;
}

/** What an IP header carries. */
export interface Transport {
  protocol: number;
  /** The bytes, with the checksum over these addresses where the protocol has one. */
  bytes(source: string, destination: string): Uint8Array;
}

export const protocols = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, sctp: 132 } as const;
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
      if (checksum) out.writeUInt16BE(transportChecksum(protocols.udp, from, to, out) || 0xffff, 6);
      return out;
    },
  };
}

export function echo(identifier: number, type: "request" | "reply" = "request", payload: Uint8Array = NONE): Transport {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(identifier, 0);
  return icmp(type === "request" ? 8 : 0, 0, rest, payload);
}

/** An error about a packet: its IP header and what follows, as an `ip()` without Ethernet. */
export function icmpError(type: number, code: number, about: Uint8Array, mtu = 0): Transport {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(mtu, 2);
  return icmp(type, code, rest, about);
}

function icmp(type: number, code: number, rest: Uint8Array, payload: Uint8Array): Transport {
  return {
    protocol: protocols.icmp,
    bytes() {
      const out = Buffer.alloc(8 + payload.length);
      out[0] = type;
      out[1] = code;
      out.set(rest, 4);
      out.set(payload, 8);
      out.writeUInt16BE(checksum(out), 2);
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

export function raw(protocol: number, payload: Uint8Array = NONE): Transport {
  return { protocol, bytes: () => payload };
}

/** An IP packet without Ethernet. */
export function ip(header: IpHeader, transport: Transport): Buffer {
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

/** An IPv4 packet in its frame. */
export function frame(header: IpHeader, transport: Transport, macs: Macs = {}): Buffer {
  return ethernet(ip(header, transport), 0x0800, macs);
}

export function addressNumber(text: string): number {
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
  const [from, to] = [addressNumber(source), addressNumber(destination)];
  const pseudo = (from >>> 16) + (from & 0xffff) + (to >>> 16) + (to & 0xffff) + protocol + bytes.length;
  return checksum(bytes, pseudo);
}

function ports(out: Buffer, source: number, destination: number): void {
  out.writeUInt16BE(source, 0);
  out.writeUInt16BE(destination, 2);
}
