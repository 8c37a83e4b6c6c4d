// When a live TCP connection that this node forwards last made room for another one (map `room_made` of bpf/connection/place.h). The packet
// path looks for the backends of unknown connections for as long as one of them may be such a connection.
import { closeSync } from "node:fs";
import { join } from "node:path";
import { type Connection, ConnectionFlag, type Tuple } from "./layout.gen.ts";
import { libbpf } from "./libbpf.ts";
import { timeoutOf } from "./live-connections.ts";
import { openMap, otherLayouts, type Pins } from "./pins.ts";

const NAME = "room_made";
const TCP = 6;
const ANY = 0n; // BPF_ANY

/** CLOCK_MONOTONIC in ns, which the packet path reads (bpf_ktime_get_coarse_ns). */
export const packetClock = (): bigint => process.hrtime.bigint();

/** Whether the two ends of a connection may still have it when its entry goes, and this node could find its backend (note_room_made()). */
export function mayBeLookedFor(
  [{ protocol }, { flags, lastSeen }]: readonly [Tuple, Connection],
  now: bigint,
): boolean {
  const over = ConnectionFlag.CLOSED | ConnectionFlag.RESET;
  if (protocol !== TCP || (flags & (ConnectionFlag.FORWARDED | over)) !== ConnectionFlag.FORWARDED) return false;
  return now - lastSeen < BigInt(timeoutOf(protocol, flags)) * 1_000_000_000n;
}

/** Writes the time, unless a later one is known. @param at ns of packetClock() */
export function noteRoomMade(pins: Pins, at: bigint): void {
  const fd = openMap(pins, NAME);
  try {
    if (at > timeIn(fd)) libbpf().update(fd, new Uint8Array(4), new Uint8Array(BigUint64Array.of(at).buffer), ANY);
  } finally {
    closeSync(fd);
  }
}

/** The time that other layouts of the maps have, because connections are taken over from them. */
export function carryRoomMade(pins: Pins): void {
  for (const layout of otherLayouts(pins)) {
    const fd = libbpf().getPinned(join(pins.root, layout, "maps", NAME));
    if (fd < 0) continue;
    try {
      noteRoomMade(pins, timeIn(fd));
    } finally {
      closeSync(fd);
    }
  }
}

function timeIn(fd: number): bigint {
  const value = new Uint8Array(8);
  return libbpf().lookup(fd, new Uint8Array(4), value) < 0 ? 0n : new DataView(value.buffer).getBigUint64(0, true);
}
