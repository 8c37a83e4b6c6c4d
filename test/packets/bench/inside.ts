// One version's programs, measured kind by kind on main.ts' request, in separate namespaces: `inside OBJECTS PREAMBLE AGAIN`
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { libbpf } from "../../../agent/kernel/libbpf.ts";
import { testRun } from "../../../agent/kernel/test-run.fixture.ts";
import { median } from "../../../measure/statistics/statistics.ts";
import { bytesOf } from "../cases/step.ts";
import { type Handling, NodeUnderTest } from "../node.ts";
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

const [objects = "", preamble = "", againObject = ""] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "bench-packets-"));
const node = new NodeUnderTest({ objects, preamble, bpffs: "/sys/fs/bpf", scratch, sizes: {} });
const pins = "/sys/fs/bpf/again";
execFileSync("bpftool", ["prog", "loadall", againObject, pins, "pinmaps", pins]);
const [again, nothing, original, programs] = ["again", "nothing", "original", "programs"].map((name) =>
  libbpf().getPinned(join(pins, name)),
) as [number, number, number, number];
const direct: Handling = { returnMode: "DSR", services: true };
let handled = "";

process.on("message", (index: number) => process.send?.(measure(kinds[index] as PacketKind)));
process.on("disconnect", () => process.exit());
process.send?.("ready");

function measure(kind: PacketKind): Batch {
  const handling = kind.handling ?? direct;
  if (JSON.stringify(handling) !== handled) node.write(handling);
  handled = JSON.stringify(handling);
  node.forget();
  for (const step of kind.before) node.run(bytesOf(step, node), step);
  node.counters.since();
  const frame = Buffer.from(bytesOf(kind.packet, node));
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

/** Minus the cost of restoring the packet. */
function inARow({ packet, isNew }: PacketKind, frame: Buffer): number {
  const ifindex = node.ifindex(packet.at);
  const value = Buffer.alloc(64);
  value.writeUInt32LE(packet.mark ?? 0, 0);
  value.writeUInt32LE(isNew ? NEW_AT[isNew] : 0, 4);
  frame.copy(value, 8, 0, RESTORED);
  const [took, empty] = [node.programFd(packet.program), nothing].map((program) => {
    written(libbpf().update(original, word(0), value, 0n));
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
