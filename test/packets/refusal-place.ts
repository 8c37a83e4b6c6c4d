// Where the programs keep that policies refuse a flow (refusal_at in bpf/policy/refused.h), for tests of two flows that share a place.
import { readFileSync } from "node:fs";
import { maps, REFUSALS, type Refusal } from "../../agent/kernel/layout.gen.ts";
import { describeError, libbpf } from "../../agent/kernel/libbpf.ts";
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

/** When the only refusal that is kept ends: on its own, or with all that its processor keeps. ns of the kernel's clock. */
export interface Ends {
  readonly refusal: bigint;
  readonly all: bigint;
}

/** Forgets all refusals. */
export function forgetRefusals(pins: Pins): void {
  const refusals = new PerCpu(pins, maps.refusals.name);
  for (let place = 0; place < REFUSALS; place++) refusals.write(place, new Uint8Array(refusals.bytes));
}

/** Gives every processor the only refusal that is kept: a test may be moved to another one, and may wait for it for longer than 0.1 s. */
export function keepRefusal(pins: Pins, ends: Ends): void {
  const [refusals, scratches] = [new PerCpu(pins, maps.refusals.name), new PerCpu(pins, "scratches")];
  for (let place = 0; place < REFUSALS; place++) {
    const values = refusals.read(place);
    const kept = values.find((value) => first(value) > 0n);
    if (!kept) continue;
    const until = first(kept);
    // The processor's scratch has the same end (bpf/remember.h); its place there is nowhere else in TypeScript.
    const all = scratches.read(0);
    const at = all.flatMap((one) => places(one, until));
    if (at.length !== 1) throw new Error(`The end of a refusal is ${at.length} times in the processors' scratch.`);
    kept.setBigUint64(0, ends.refusal, true);
    for (const one of all) one.setBigUint64(at[0] as number, ends.all, true);
    refusals.write(place, joined(values.map(() => kept)));
    scratches.write(0, joined(all));
    return;
  }
  throw new Error("No refusal is kept.");
}

/** Values of all processors, in bytes. */
class PerCpu {
  readonly #name: string;
  readonly #fd: number;
  readonly #cpus = libbpf().possibleCpus();
  readonly #stride: number;

  constructor(pins: Pins, name: string) {
    this.#name = name;
    this.#fd = openMap(pins, name);
    const size = /^value_size:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${this.#fd}`, "utf8"))?.[1];
    this.#stride = Math.ceil(Number(size) / 8) * 8;
  }

  get bytes(): number {
    return this.#cpus * this.#stride;
  }

  read(key: number): DataView[] {
    const values = new Uint8Array(this.bytes);
    this.#expect(libbpf().lookup(this.#fd, word4(key), values));
    return Array.from(
      { length: this.#cpus },
      (_, cpu) => new DataView(values.buffer, cpu * this.#stride, this.#stride),
    );
  }

  write(key: number, values: Uint8Array): void {
    this.#expect(libbpf().update(this.#fd, word4(key), values, 0n));
  }

  #expect(result: number): void {
    if (result < 0) throw new Error(`Cannot use map ${this.#name}: ${describeError(result)}.`);
  }
}

const first = (value: DataView): bigint => value.getBigUint64(0, true);
const word4 = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);
const joined = (values: readonly DataView[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(values.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))),
  );

/** Where in a value this number is. */
function places(value: DataView, number: bigint): number[] {
  const offsets = Array.from({ length: value.byteLength / 8 }, (_, index) => index * 8);
  return offsets.filter((at) => value.getBigUint64(at, true) === number);
}

/** Of an address, as the programs read it. */
function lowHalf(address: string): bigint {
  return Buffer.from(addressBytes(address)).readBigUInt64LE(8);
}

function word(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
