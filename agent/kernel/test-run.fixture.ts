// Runs a program of the packet path on a packet made by the test (BPF_PROG_TEST_RUN, Documentation/bpf/bpf_prog_run.rst).
import koffi from "koffi";
import { describeError } from "./libbpf.ts";

/** What the kernel passes to a program besides the bytes. */
export interface Circumstances {
  /** The interface that the packet enters or leaves by; it must exist in this network namespace. */
  readonly ifindex: number;
  /** Egress: the interface it entered by; 0: sent by this host. */
  readonly ingressIfindex?: number;
  readonly mark?: number;
  /** struct __sk_buff.cb: words that programs may pass to each other. */
  readonly control?: readonly number[];
  readonly gso?: { readonly size: number; readonly segments: number };
  /** Number of runs, 1 by default. All runs share one packet: each gets the output of the previous run. */
  readonly repeat?: number;
}

export interface RunResult {
  /** TC_ACT_OK, TC_ACT_SHOT, TC_ACT_REDIRECT … (linux/pkt_cls.h) */
  readonly action: number;
  /** The packet as the program left it. Overwritten by the next run. */
  readonly frame: Uint8Array;
  readonly mark: number;
  /** Duration, the mean of all runs. */
  readonly nanoseconds: number;
}

/** The kernel accepts frames of less than a page (minus its own headroom) that have an IP header if their type says so. */
const LARGEST_FRAME = 3000;
export const isTaken = (frame: Uint8Array): boolean =>
  frame.length >= (frame[12] === 0x86 ? 54 : 34) && frame.length <= LARGEST_FRAME;

// struct bpf_test_run_opts (bpf/bpf.h) and struct __sk_buff (linux/bpf.h).
const OPTIONS = {
  size: 80,
  dataIn: 8,
  dataOut: 16,
  sizeIn: 24,
  sizeOut: 28,
  context: 32,
  returned: 56,
  repeat: 60,
  duration: 64,
};
const CONTEXT = { size: 192, mark: 8, ingress: 36, ifindex: 40, control: 48, segments: 164, gsoSize: 176 };

let call: ((fd: number, options: Uint8Array) => number) | undefined;

/** Buffers for one run, reused. */
class Room {
  readonly input = new Uint8Array(LARGEST_FRAME);
  readonly output = new Uint8Array(4096);
  readonly context = new DataView(new ArrayBuffer(CONTEXT.size));
  readonly contextOut = new DataView(new ArrayBuffer(CONTEXT.size));
  readonly options = new DataView(new ArrayBuffer(OPTIONS.size));

  constructor() {
    const { options } = this;
    options.setBigUint64(0, BigInt(OPTIONS.size), true);
    options.setBigUint64(OPTIONS.dataIn, koffi.address(this.input), true);
    options.setBigUint64(OPTIONS.dataOut, koffi.address(this.output), true);
    options.setBigUint64(OPTIONS.context, koffi.address(this.context), true);
    options.setBigUint64(OPTIONS.context + 8, koffi.address(this.contextOut), true);
    options.setUint32(OPTIONS.context + 16, CONTEXT.size, true);
  }
}

let room: Room | undefined;

/** @throws Error when the kernel does not run it: an unacceptable frame, or a missing interface */
export function testRun(programFd: number, frame: Uint8Array, circumstances: Circumstances): RunResult {
  call ??= koffi.load("libbpf.so.1").func("int bpf_prog_test_run_opts(int fd, uint8_t *options)");
  room ??= new Room();
  const { input, output, context, contextOut, options } = room;
  input.set(frame);
  options.setUint32(OPTIONS.sizeIn, frame.length, true);
  options.setUint32(OPTIONS.sizeOut, output.length, true);
  options.setUint32(OPTIONS.context + 20, CONTEXT.size, true);
  const { ifindex, ingressIfindex = 0, mark = 0, control = [], gso, repeat = 1 } = circumstances;
  options.setInt32(OPTIONS.repeat, repeat, true);
  context.setUint32(CONTEXT.mark, mark, true);
  context.setUint32(CONTEXT.ingress, ingressIfindex, true);
  context.setUint32(CONTEXT.ifindex, ifindex, true);
  for (let word = 0; word < 5; word++) context.setUint32(CONTEXT.control + word * 4, control[word] ?? 0, true);
  context.setUint32(CONTEXT.segments, gso?.segments ?? 0, true);
  context.setUint32(CONTEXT.gsoSize, gso?.size ?? 0, true);
  const result = call(programFd, new Uint8Array(options.buffer));
  if (result < 0) throw new Error(`The kernel did not run a frame of ${frame.length} bytes: ${describeError(result)}.`);
  return {
    action: options.getUint32(OPTIONS.returned, true),
    frame: output.subarray(0, options.getUint32(OPTIONS.sizeOut, true)),
    mark: contextOut.getUint32(CONTEXT.mark, true),
    nanoseconds: options.getUint32(OPTIONS.duration, true),
  };
}
