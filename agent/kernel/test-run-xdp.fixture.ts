// Runs an XDP program on a frame made by the test (BPF_PROG_TEST_RUN, Documentation/bpf/bpf_prog_run.rst).
import koffi from "koffi";
import { describeError, libbpf } from "./libbpf.ts";

/** enum xdp_action (linux/bpf.h). */
export const XDP = { DROP: 1, PASS: 2, TX: 3 } as const;

export interface XdpResult {
  readonly action: number;
  /** A copy of the frame as the program left it. */
  readonly frame: Buffer;
  /** Duration, the mean of all runs. */
  readonly nanoseconds: number;
}

// struct bpf_test_run_opts (bpf/bpf.h) and struct xdp_md (linux/bpf.h).
const OPTIONS = { size: 80, dataIn: 8, dataOut: 16, sizeIn: 24, sizeOut: 28, context: 32, contextIn: 48 };
const RESULT = { returned: 56, repeat: 60, duration: 64 };
const CONTEXT = { size: 24, dataEnd: 4, ingress: 12 };

const output = new Uint8Array(4096);

/** @param ifindex of the interface that the frame comes in by; it must exist in this network namespace */
export function testRunXdp(programFd: number, bytes: Uint8Array, ifindex: number, repeat = 1): XdpResult {
  const input = Buffer.from(bytes);
  const context = new DataView(new ArrayBuffer(CONTEXT.size));
  context.setUint32(CONTEXT.dataEnd, input.length, true);
  context.setUint32(CONTEXT.ingress, ifindex, true);
  const options = new DataView(new ArrayBuffer(OPTIONS.size));
  options.setBigUint64(0, BigInt(OPTIONS.size), true);
  options.setBigUint64(OPTIONS.dataIn, koffi.address(input), true);
  options.setBigUint64(OPTIONS.dataOut, koffi.address(output), true);
  options.setUint32(OPTIONS.sizeIn, input.length, true);
  options.setUint32(OPTIONS.sizeOut, output.length, true);
  options.setBigUint64(OPTIONS.context, koffi.address(context), true);
  options.setUint32(OPTIONS.contextIn, CONTEXT.size, true);
  options.setInt32(RESULT.repeat, repeat, true);
  const result = libbpf().programRun(programFd, new Uint8Array(options.buffer));
  if (result < 0) throw new Error(`The kernel did not run a frame of ${input.length} bytes: ${describeError(result)}.`);
  return {
    action: options.getUint32(RESULT.returned, true),
    frame: Buffer.from(output.subarray(0, options.getUint32(OPTIONS.sizeOut, true))),
    nanoseconds: options.getUint32(RESULT.duration, true),
  };
}
