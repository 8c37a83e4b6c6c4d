// SCTP's checksum after a change of a few bytes, by the packet path's own function, for packets of every length.
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { noKernel, temporaryBpffs } from "../../agent/kernel/bpffs.fixture.ts";
import { libbpf } from "../../agent/kernel/libbpf.ts";
import { testRun } from "../../agent/kernel/test-run.fixture.ts";
import { includes } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { Random } from "../fuzz/random.ts";
import { frame, udp } from "./frames.ts";
import { crc32c } from "./sctp.ts";

if (noKernel) console.log(noKernel);

describe.skipIf(noKernel)("the checksum of SCTP", () => {
  const { folder, bpf } = temporaryBpffs();
  let program: number;
  beforeAll(async () => {
    const object = join(folder, "checksum.bpf.o");
    const source = join(import.meta.dirname, "checksum.bpf.c");
    await run("clang", ["-O2", "-g", "-target", "bpf", "-mcpu=v3", ...includes(), "-c", source, "-o", object]);
    await run("bpftool", ["prog", "load", object, join(bpf, "checksum")]);
    program = libbpf().getPinned(join(bpf, "checksum"));
  });

  const any = frame({ source: "172.31.1.55", destination: "172.31.1.8" }, udp(1, 2));
  /** What the old checksum becomes when two bytes at `at` change by `change`. */
  const moved = (old: number, change: number, length: number, at: number) =>
    (old ^ testRun(program, any, { ifindex: 1, control: [change, length - at] }).action) >>> 0;

  test("is the reference's", () => expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283));

  test.each([0, 2])("follows the port at byte %i, at 400 lengths up to 65,535", (at) => {
    const random = new Random(at + 1);
    const lengths = [16, 17, 28, 1480, 32_767, 32_768, 65_515, 65_535];
    while (lengths.length < 400) lengths.push(16 + random.below(65_535 - 15));
    for (const length of lengths) {
      const packet = Buffer.from(random.bytes(length));
      const old = crc32c(packet);
      const change = random.below(0x1_0000);
      packet.writeUInt16LE(packet.readUInt16LE(at) ^ change, at);
      expect(moved(old, change, length, at), `of ${length} bytes`).toBe(crc32c(packet));
    }
  });
});
