// Sends a frame out of an interface without a raw socket, for which the agent has no capability: the program `announce` clones the
// frame that it is run on to the interface (BPF_PROG_TEST_RUN, Documentation/bpf/bpf_prog_run.rst).
import { describeError, libbpf } from "./libbpf.ts";

// struct bpf_test_run_opts (bpf/bpf.h) and struct __sk_buff (linux/bpf.h).
const OPTIONS = { size: 80, dataIn: 8, sizeIn: 24, context: 32, contextSize: 48, returned: 56, repeat: 60 };
const CONTEXT = { size: 192, ifindex: 40 };

/** @param frame an Ethernet frame @returns why it was not sent; undefined: it was */
export function sendFrame(programFd: number, ifindex: number, frame: Uint8Array): string | undefined {
  const context = new DataView(new ArrayBuffer(CONTEXT.size));
  context.setUint32(CONTEXT.ifindex, ifindex, true);
  const options = new DataView(new ArrayBuffer(OPTIONS.size));
  options.setBigUint64(0, BigInt(OPTIONS.size), true);
  options.setBigUint64(OPTIONS.dataIn, libbpf().addressOf(frame), true);
  options.setUint32(OPTIONS.sizeIn, frame.length, true);
  options.setBigUint64(OPTIONS.context, libbpf().addressOf(context), true);
  options.setUint32(OPTIONS.contextSize, CONTEXT.size, true);
  options.setInt32(OPTIONS.repeat, 1, true);
  const result = libbpf().programRun(programFd, new Uint8Array(options.buffer));
  if (result < 0) return describeError(result);
  const returned = options.getInt32(OPTIONS.returned, true);
  return returned < 0 ? describeError(returned) : undefined;
}
