// A two-instruction program that drops, attached after our programs on a workload's interface. Our programs end every
// packet's path, so it runs only where one of them is missing: such an interface is closed, not open. It is a filter of the interface's clsact,
// which the kernel asks after TCX, so there is no pin that could be removed; it is removed with the interface. Where the kernel has no such
// filters it is attached by TCX, without a link.
import { closeSync } from "node:fs";
import { attachFilterBehind, type Direction } from "./clsact.ts";
import { describeError, EEXIST, libbpf } from "./libbpf.ts";
import { sameProgram } from "./object-info.ts";

const BPF_PROG_TYPE_SCHED_CLS = 3;
const TC_ACT_SHOT = 2;
const MAX_PROGRAMS = 64; // BPF_MPROG_MAX

let loaded: number | undefined;

/** Its file descriptor. */
export function droppingProgram(): number {
  loaded ??= loadDropping();
  return loaded;
}

export function isClosedBehindLinks(ifindex: number, attachType: number): boolean {
  return droppingPrograms(ifindex, attachType, droppingProgram()).length > 0;
}

/** Attaches the dropping program after all TCX programs of the interface. */
export function closeBehindLinks(ifindex: number, attachType: number): void {
  if (isClosedBehindLinks(ifindex, attachType)) return;
  const result = libbpf().programAttach(droppingProgram(), ifindex, attachType, 0);
  if (result < 0 && result !== -EEXIST) {
    throw new Error(`Cannot close interface ${ifindex} behind its programs: ${describeError(result)}.`);
  }
}

/** Removes it: TCX runs before filters, so it would close an interface whose program is a filter. */
export function openBehindLinks(ifindex: number, attachType: number): void {
  for (const id of droppingPrograms(ifindex, attachType, droppingProgram())) {
    const fd = libbpf().programById(id);
    if (fd < 0) continue;
    libbpf().programDetach(fd, ifindex, attachType);
    closeSync(fd);
  }
}

/** Program ids; empty when the kernel has no TCX. */
function droppingPrograms(ifindex: number, attachType: number, fd: number): number[] {
  const ids = new Uint32Array(MAX_PROGRAMS);
  const count = Uint32Array.of(ids.length);
  const asked = libbpf().programQuery(ifindex, attachType, 0, new Uint32Array(1), ids, count);
  return asked < 0 ? [] : [...ids.subarray(0, count[0])].filter((id) => sameProgram(id, fd));
}

/** The same behind our filter, on kernels without TCX. */
export function closeBehindFilter(ifindex: number, direction: Direction): void {
  attachFilterBehind(droppingProgram(), ifindex, direction);
}

function loadDropping(): number {
  const instructions = new Uint8Array(16);
  instructions[0] = 0xb7; // r0 = TC_ACT_SHOT
  instructions[4] = TC_ACT_SHOT;
  instructions[8] = 0x95; // exit
  const fd = libbpf().programLoad(BPF_PROG_TYPE_SCHED_CLS, "closed", "Dual BSD/GPL", instructions, 2, null);
  if (fd < 0) throw new Error(`Cannot load the program that closes interfaces: ${describeError(fd)}.`);
  return fd;
}
