// One version's programs, measured kind by kind on main.ts' request, in separate namespaces: `inside OBJECTS PREAMBLE AGAIN`
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libbpf } from "../../../agent/kernel/libbpf.ts";
import { testRun } from "../../../agent/kernel/test-run.fixture.ts";
import { testRunXdp } from "../../../agent/kernel/test-run-xdp.fixture.ts";
import { median } from "../../../measure/statistics/statistics.ts";
import { meetCard } from "../card.ts";
import { bytesOf } from "../cases/step.ts";
import { type Handling, NodeUnderTest } from "../node.ts";
import { forgetRefusals, keepRefusal } from "../refusal-place.ts";
import { inWords } from "../words.ts";
import { kinds, type PacketKind } from "./kinds.ts";

/** What one batch showed, in ns for a packet. */
export interface Batch {
  readonly became: string;
  /** With a system call each: median. */
  readonly single: number;
  /** In a loop in the kernel: mean. Not for packets whose length changes. */
  readonly inARow: number | undefined;
}

const SINGLES = 1000;
const IN_A_ROW = 20_000;
const RESTORED = 54;
/** On the kernel's clock, ns. */
const NEVER = 1n << 62n;

const [objects = "", preamble = "", againObject = ""] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bench-packets-"));
const node = new NodeUnderTest({ objects, preamble, bpffs: "/sys/fs/bpf", scratch, sizes: {} });
const pins = "/sys/fs/bpf/again";
execFileSync("bpftool", ["prog", "loadall", againObject, pins, "pinmaps", pins]);
const pinned = (name: string): number => libbpf().getPinned(join(pins, name));
const [again, nothing, original, programs] = [
  pinned("again"),
  pinned("nothing"),
  pinned("original"),
  pinned("programs"),
];
const [againInCard, nothingInCard, cardPrograms] = [
  pinned("again_in_card"),
  pinned("nothing_in_card"),
  pinned("card_programs"),
];
const direct: Handling = { returnMode: "DSR", services: true };
let handled = "";

process.on("message", (index: number) => process.send?.(measure(kinds[index] as PacketKind)));
process.on("disconnect", () => process.exit());
process.send?.("ready");

/** Undefined in a version that has none. */
const cardProgram = (kind: PacketKind): number | undefined =>
  kind.inCard ? (node.programFd("xdp_uplink") as number | undefined) : undefined;

function measure(kind: PacketKind): Batch {
  const handling = kind.handling ?? direct;
  if (JSON.stringify(handling) !== handled) node.write(handling);
  handled = JSON.stringify(handling);
  node.forget();
  for (const step of kind.before) node.run(bytesOf(step, node), step);
  node.counters.since();
  const frame = Buffer.from(bytesOf(kind.packet, node));
  const program = cardProgram(kind);
  if (program !== undefined) return inCard(program, kind, frame);
  const met = node.meet(frame, kind.packet);
  const became = inWords(met, kind.packet.program, (id) => node.maps.backends.lookup(id)?.address);
  const keepsLength = met.frame.length === frame.length && !kind.packet.tunnel;
  return { became, single: oneByOne(kind, frame), inARow: keepsLength ? inARow(kind, frame) : undefined };
}

/** Where a frame has what is another in each. */
const NEW_AT = { port: 34, sender: 28 } as const;

function oneByOne({ packet, isNew }: PacketKind, frame: Buffer): number {
  const [took, empty]: [number[], number[]] = [[], []];
  const ifindex = node.ifindex("uplink");
  for (let time = 0; time < SINGLES; time++) {
    if (isNew) frame.writeUInt16BE(10_000 + time, NEW_AT[isNew]);
    took.push(node.run(frame, packet).nanoseconds);
    empty.push(testRun(nothing, frame, { ifindex }).nanoseconds);
  }
  return median(took) - median(empty);
}

/** A frame of each kind that a card's program takes, for as long as it is measured. */
function inCard(program: number, { before, packet, isNew }: PacketKind, frame: Buffer): Batch {
  const known = node.maps.connections.entries();
  for (const [key, { nextHop, ...rest }] of known)
    node.maps.connections.update([[key, { ...rest, nextHop: { ...nextHop, until: NEVER } }]]);
  if (known.length === 0) {
    forgetRefusals(node.pins);
    for (const step of before) node.run(bytesOf(step, node), step);
    keepRefusal(node.pins, { refusal: NEVER, all: NEVER });
  }
  node.counters.since();
  const became = meetCard(node, frame, packet.at)?.outcomes.join() ?? "left to tc";
  const ifindex = node.ifindex(packet.at);
  const [took, empty]: [number[], number[]] = [[], []];
  for (let time = 0; time < SINGLES; time++) {
    if (isNew) frame.writeUInt16BE(10_000 + time, NEW_AT[isNew]);
    took.push(testRunXdp(program, frame, ifindex).nanoseconds);
    empty.push(testRunXdp(nothingInCard, frame, ifindex).nanoseconds);
  }
  writeOriginal({ packet, isNew }, frame);
  const [row = 0, restoring = 0] = [program, nothingInCard].map((one) => {
    written(libbpf().update(cardPrograms, word(0), word(one), 0n));
    return testRunXdp(againInCard, frame, ifindex, IN_A_ROW).nanoseconds;
  });
  return { became, single: median(took) - median(empty), inARow: row - restoring };
}

function writeOriginal({ packet, isNew }: Pick<PacketKind, "packet" | "isNew">, frame: Buffer): void {
  const value = Buffer.alloc(64);
  value.writeUInt32LE(packet.mark ?? 0, 0);
  value.writeUInt32LE(isNew ? NEW_AT[isNew] : 0, 4);
  frame.copy(value, 8, 0, RESTORED);
  value.writeUInt16LE(frame.length, 8 + RESTORED);
  written(libbpf().update(original, word(0), value, 0n));
}

/** Minus the cost of restoring the packet. */
function inARow({ packet, isNew }: PacketKind, frame: Buffer): number {
  const ifindex = node.ifindex(packet.at);
  writeOriginal({ packet, isNew }, frame);
  const [took, empty] = [node.programFd(packet.program), nothing].map((program) => {
    written(libbpf().update(programs, word(0), word(program), 0n));
    const circumstances = { ifindex, ingressIfindex: packet.ingressIfindex ?? 0 };
    return testRun(again, frame, { ...circumstances, repeat: IN_A_ROW }).nanoseconds;
  }) as [number, number];
  return took - empty;
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function written(result: number): void {
  if (result < 0) throw new Error(`Cannot prepare the packets in a row: error ${-result}.`);
}
