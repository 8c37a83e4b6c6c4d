// SCTP (RFC 9260) as the tests write it: the header, one chunk and its checksum, by a table of bytes, which bpf/net/crc32c.h has not.
import { protocols, type Transport } from "./frames.ts";

export const chunks = {
  data: 0,
  init: 1,
  initAck: 2,
  sack: 3,
  heartbeat: 4,
  abort: 6,
  shutdown: 7,
  shutdownAck: 8,
  cookieEcho: 10,
  cookieAck: 11,
  shutdownComplete: 14,
} as const;
export type Chunk = keyof typeof chunks;

export interface SctpOptions {
  /** The verification tag. */
  readonly tag?: number;
  /** INIT, INIT ACK: the tag that it asks the other end to send. */
  readonly asks?: number;
  /** The T bit of ABORT and SHUTDOWN COMPLETE. */
  readonly reflected?: boolean;
  readonly payload?: Uint8Array;
  /** "absent": 0, as a sender leaves it to the network card. */
  readonly checksum?: "right" | "absent";
}

const CHECKSUM = 8;

export function sctp(
  source: number,
  destination: number,
  chunk: Chunk,
  { tag = 0, asks = 0, reflected = false, payload = new Uint8Array(), checksum = "right" }: SctpOptions = {},
): Transport {
  const isInit = chunk === "init" || chunk === "initAck";
  const content = isInit ? Buffer.concat([initiation(asks), payload]) : payload;
  return {
    protocol: protocols.sctp,
    bytes() {
      const out = Buffer.alloc(16 + content.length);
      out.writeUInt16BE(source, 0);
      out.writeUInt16BE(destination, 2);
      out.writeUInt32BE(tag, 4);
      out[12] = chunks[chunk];
      out[13] = reflected ? 1 : 0;
      out.writeUInt16BE((4 + content.length) & 0xffff, 14);
      out.set(content, 16);
      if (checksum === "right") out.writeUInt32LE(crc32c(out), CHECKSUM);
      return out;
    },
  };
}

/** Tag, window, streams, first number. */
function initiation(asks: number): Buffer {
  const out = Buffer.alloc(16);
  out.writeUInt32BE(asks, 0);
  out.writeUInt32BE(65_536, 4);
  out.writeUInt32BE(0x00010001, 8);
  out.writeUInt32BE(1, 12);
  return out;
}

/** Of a whole packet; true too where there is none. */
export function sctpChecksumIsRight(packet: Uint8Array): boolean {
  const bytes = Buffer.from(packet);
  if (bytes.length < 12) return false;
  const written = bytes.readUInt32LE(CHECKSUM);
  bytes.fill(0, CHECKSUM, CHECKSUM + 4);
  return written === 0 || written === crc32c(bytes);
}

const POLYNOMIAL = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value >>> 0;
});

export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 0xff] as number);
  return ~value >>> 0;
}
