// Where the programs keep that policies refuse a flow (refusal_at in bpf/policy/refused.h), for tests of two flows that share a place.
import { maps, REFUSALS, type Refusal } from "../../agent/kernel/layout.gen.ts";
import { readPerCpu } from "../../agent/kernel/outcomes.ts";
import { openMap, type Pins } from "../../agent/kernel/pins.ts";
import { addressBytes } from "../../model/address/address.ts";

/** What of a flow decides about its place. */
export type Kept = Pick<Refusal, "source" | "destination" | "port" | "protocol">;

/** The index in the map. */
export function placeOf({ source, destination, port, protocol }: Kept): number {
  const portInMemory = ((port & 0xff) << 8) | (port >> 8);
  const asked = lowHalf(destination) ^ BigInt((portInMemory << 8) | protocol);
  const hash = word(lowHalf(source) * 0x9e3779b97f4a7c15n + asked * 0xc2b2ae3d27d4eb4fn);
  return Number(word((hash ^ (hash >> 29n)) * 0x9e3779b97f4a7c15n) >> 55n) % REFUSALS;
}

/** What is there now, of each processor. */
export function heldAt(pins: Pins, place: number): Refusal[] {
  return readPerCpu(maps.refusals, openMap(pins, maps.refusals.name), place);
}

/** Of an address, as the programs read it. */
function lowHalf(address: string): bigint {
  return Buffer.from(addressBytes(address)).readBigUInt64LE(8);
}

function word(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
