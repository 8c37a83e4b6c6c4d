// Makes packets malformed: lengths, header length, fragments, flags, checksums, single bytes.
import { checksum } from "../packets/frames.ts";
import type { Random } from "./random.ts";

/** Changes the packet at `at` in `frame`; the frame may come back shorter or longer. */
type Mutation = (frame: Buffer, at: number, random: Random) => Buffer;

const inPlace =
  (change: (frame: Buffer, at: number, random: Random) => void): Mutation =>
  (frame, at, random) => {
    if (frame.length >= at + 20) change(frame, at, random);
    return frame;
  };

/** With the IP checksum right again, so that a receiver does not drop the packet for it. */
const inHeader = (change: (frame: Buffer, at: number, random: Random) => void): Mutation =>
  inPlace((frame, at, random) => {
    change(frame, at, random);
    const length = ((frame[at] as number) & 0xf) * 4;
    frame.writeUInt16BE(0, at + 10);
    if (length >= 20 && frame.length >= at + length) {
      frame.writeUInt16BE(checksum(frame.subarray(at, at + length)), at + 10);
    }
  });

const transportAt = (frame: Buffer, at: number) => at + ((frame[at] as number) & 0xf) * 4;

const ofAnything: readonly Mutation[] = [
  (frame, at, random) => frame.subarray(0, Math.max(34, at + random.below(60))),
  (frame, _at, random) => frame.subarray(0, Math.max(34, random.below(frame.length + 1))),
  (frame, _at, random) => Buffer.concat([frame, random.bytes(1 + random.below(40))]),
  inPlace((frame, at, random) => {
    frame[at + random.below(frame.length - at)] = random.below(256);
  }),
  (frame, _at, random) => {
    frame[random.below(frame.length)] = random.below(256);
    return frame;
  },
];

const PROTOCOLS_IN_IPV6 = [0, 1, 4, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 132, 135, 255];
const PREFIXES_IN_IPV6 = ["fe80", "ff02", "0000000000000000000000", "00000000000000000000ffff"];

/** Sets bytes at a place behind the beginning of the packet, where there are any. */
const at6 = (offset: number, bytes: (random: Random) => Uint8Array): Mutation =>
  inPlace((frame, at, random) => {
    const written = bytes(random);
    if (frame.length >= at + offset + written.length) frame.set(written, at + offset);
  });

const ofIpv6: readonly Mutation[] = [
  ...ofAnything,
  at6(0, (random) => random.bytes(1)),
  at6(4, (random) => (random.oneIn(2) ? Uint8Array.of(0, random.below(64)) : random.bytes(2))),
  at6(6, (random) => Uint8Array.of(random.of(PROTOCOLS_IN_IPV6))),
  at6(7, (random) => Uint8Array.of(random.oneIn(3) ? 255 : random.below(3))),
  at6(8, (random) => Buffer.from(random.of(PREFIXES_IN_IPV6), "hex")),
  at6(24, (random) => Buffer.from(random.of(PREFIXES_IN_IPV6), "hex")),
  at6(40, (random) => Uint8Array.of(random.of(PROTOCOLS_IN_IPV6))),
  at6(41, (random) => random.bytes(1)),
  at6(42, (random) =>
    random.of([Uint8Array.of(0, 1), Uint8Array.of(0, 8), Uint8Array.of(0xff, 0xf9), random.bytes(2)]),
  ),
  at6(53, (random) => Uint8Array.of(random.below(64))),
];

const ofIpv4: readonly Mutation[] = [
  ...ofAnything,
  inHeader((frame, at, random) => {
    frame[at] = 0x40 | random.below(16);
  }),
  inHeader((frame, at, random) => {
    frame[at] = random.below(256);
  }),
  inHeader((frame, at, random) => frame.writeUInt16BE(random.below(random.oneIn(2) ? 64 : 65536), at + 2)),
  inHeader((frame, at, random) => frame.writeUInt16BE(random.of([0x2000, 1, 2, 0x2001, 0x1fff, 0x8000]), at + 6)),
  inHeader((frame, at, random) => frame.writeUInt16BE(random.below(65536), at + 6)),
  inHeader((frame, at, random) => {
    frame[at + 8] = random.below(3);
  }),
  inHeader((frame, at, random) => {
    frame[at + 9] = random.of([0, 1, 2, 4, 6, 17, 41, 47, 50, 51, 58, 132, 255]);
  }),
  inPlace((frame, at) => frame.writeUInt16BE((frame.readUInt16BE(at + 10) + 1) & 0xffff, at + 10)),
  inPlace((frame, at, random) => {
    const flags = transportAt(frame, at) + 13;
    if (flags < frame.length) frame[flags] = random.below(64);
  }),
  inPlace((frame, at, random) => {
    const length = transportAt(frame, at) + 4;
    if (length + 2 <= frame.length) frame.writeUInt16BE(random.below(2048), length);
  }),
];

/** Makes one to three things wrong. `inner`: where the packet inside a tunnel begins, if there is one. */
export function mutate(frame: Buffer, inner: number | undefined, random: Random): Buffer {
  let result = frame;
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = inner !== undefined && random.oneIn(2) ? inner : 14;
    const isOfIpv6 = (result[at] ?? 0) >> 4 === 6;
    result = random.of(isOfIpv6 ? ofIpv6 : ofIpv4)(result, at, random);
  }
  return result;
}
