// Loads an object with libbpf and reads from the verifier what each program cost (BPF_LOG_STATS of
// include/linux/bpf_verifier.h) and which functions call which.
import koffi from "koffi";

export interface VerifierCost {
  /** Number of instructions the verifier processed; the limit is a million. */
  readonly instructions: number;
  /** Stack bytes of the deepest call chain, with the rounding of Linux 6.1; the limit is 512. */
  readonly stack: number;
  /** Bytes of each frame of that chain. */
  readonly chain: readonly number[];
}

const LOG_STATS = 4;
/** check_max_stack_depth() of Linux 6.1 (kernel/bpf/verifier.c); later kernels round to 16 bytes where there is a JIT. */
const FRAME_UNIT = 32;

/** @returns by program; @throws Error with the end of the verifier's log when it rejects one */
export function verifierCosts(object: string, pinRoot: string): Record<string, VerifierCost> {
  const bpf = koffi.load("libbpf.so.1");
  const next = bpf.func("void *bpf_object__next_program(void *object, void *program)");
  const nameOf = bpf.func("const char *bpf_program__name(void *program)");
  const logTo = bpf.func("int bpf_program__set_log_buf(void *program, uint8_t *log, size_t size)");
  const logLevel = bpf.func("int bpf_program__set_log_level(void *program, uint32_t level)");
  const fdOf = bpf.func("int bpf_program__fd(void *program)");
  const opened = bpf.func("void *bpf_object__open_file(const char *path, uint8_t *options)")(object, options(pinRoot));
  if (!opened) throw new Error(`Cannot open ${object}.`);
  const found: { name: string; program: unknown; log: Uint8Array }[] = [];
  for (let program = next(opened, null); program; program = next(opened, program)) {
    const log = new Uint8Array(1 << 16);
    logTo(program, log, log.length);
    logLevel(program, LOG_STATS);
    found.push({ name: nameOf(program) as string, program, log });
  }
  try {
    const refused = bpf.func("int bpf_object__load(void *object)")(opened) < 0;
    const words = found.map(({ log }) => textOf(log));
    if (refused)
      throw new Error(`The verifier rejects ${object}:\n${words.join("").split("\n").slice(-25).join("\n")}`);
    return Object.fromEntries(
      found.map(({ name, program }, index) => [name, costOf(words[index] as string, fdOf(program))]),
    );
  } finally {
    bpf.func("void bpf_object__close(void *object)")(opened);
  }
}

// struct bpf_object_open_opts up to pin_root_path; libbpf copies the text.
let kept: Buffer;
function options(pinRoot: string): Uint8Array {
  kept = Buffer.from(`${pinRoot}\0`);
  const view = new DataView(new ArrayBuffer(32));
  view.setBigUint64(0, 32n, true);
  view.setBigUint64(24, koffi.address(kept), true);
  return new Uint8Array(view.buffer);
}

const textOf = (log: Uint8Array) => Buffer.from(log.subarray(0, log.indexOf(0))).toString("latin1");

function costOf(log: string, fd: number): VerifierCost {
  const instructions = Number(/^processed (\d+) insns/m.exec(log)?.[1]);
  const depths = (/^stack depth ([\d+]+)/m.exec(log)?.[1] ?? "").split("+").map(Number);
  const frames = depths.map((depth) => Math.ceil(Math.max(depth, 1) / FRAME_UNIT) * FRAME_UNIT);
  const calls = callsOf(fd);
  if (!instructions || calls.length !== frames.length)
    throw new Error(`The verifier's figures do not match ${calls.length} functions: ${log.slice(-500)}`);
  const chain = deepest(0, frames, calls);
  return { instructions, stack: chain.reduce((sum, frame) => sum + frame, 0), chain };
}

/** BPF_JMP | BPF_CALL with the source register BPF_PSEUDO_CALL: a call of a function of the same program. */
const CALL = 0x85;
const PSEUDO_CALL = 1;
const INSTRUCTION_BYTES = 8;

/** For each function, in the verifier's order, the functions that it calls. */
function callsOf(fd: number): number[][] {
  const { instructions, starts } = translated(fd);
  const called = starts.map(() => new Set<number>());
  for (let at = 0, own = 0; at < instructions.byteLength / INSTRUCTION_BYTES; at++) {
    if (at === starts[own + 1]) own++;
    const offset = at * INSTRUCTION_BYTES;
    if (instructions.getUint8(offset) !== CALL || instructions.getUint8(offset + 1) >> 4 !== PSEUDO_CALL) continue;
    called[own]?.add(starts.indexOf(at + 1 + instructions.getInt16(offset + 2, true))); // the kernel leaves the distance there
  }
  return called.map((callees) => [...callees]);
}

/**
 * The program as the verifier left it, and the first instruction of each of its functions: struct bpf_prog_info and struct bpf_func_info of
 * linux/bpf.h. (bpftool prints them too, but takes longer than the verifier in an emulated guest.)
 */
function translated(fd: number): { instructions: DataView; starts: number[] } {
  const read = koffi
    .load("libbpf.so.1")
    .func("int bpf_obj_get_info_by_fd(int fd, uint8_t *info, _Inout_ uint32_t *size)");
  const info = new DataView(new ArrayBuffer(232));
  const ask = () => {
    const failed = read(fd, new Uint8Array(info.buffer), [info.byteLength]);
    if (failed < 0) throw new Error(`The kernel does not show a program: error ${-failed}.`);
  };
  ask();
  const instructions = new Uint8Array(info.getUint32(20, true));
  const functionBytes = info.getUint32(132, true);
  const functions = new Uint8Array(functionBytes * info.getUint32(144, true));
  const count = info.getUint32(144, true);
  for (const offset of [16, 52, 104, 108, 148, 168, 180]) info.setUint32(offset, 0, true); // nothing else
  info.setBigUint64(32, koffi.address(instructions), true);
  info.setBigUint64(136, koffi.address(functions), true);
  ask();
  const table = new DataView(functions.buffer);
  return {
    instructions: new DataView(instructions.buffer),
    starts: Array.from({ length: count }, (_, index) => table.getUint32(index * functionBytes, true)),
  };
}

function deepest(index: number, frames: readonly number[], calls: readonly number[][]): number[] {
  const below = (calls[index] ?? []).map((callee) => deepest(callee, frames, calls));
  const size = (chain: readonly number[]) => chain.reduce((sum, frame) => sum + frame, 0);
  const [longest = []] = below.sort((a, b) => size(b) - size(a));
  return [frames[index] as number, ...longest];
}
