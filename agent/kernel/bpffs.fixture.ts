import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** The reason why kernel tests cannot run here, or false. */
export const noKernel = process.getuid?.() !== 0 && "SKIP: loading BPF programs and mounting need root";

/** A folder with its own bpffs at `bpf`, removed after the tests of the file. */
export function temporaryBpffs(): { folder: string; bpf: string } {
  const folder = mkdtempSync(join(tmpdir(), "dataplane-kernel-"));
  const bpf = join(folder, "bpf");
  execFileSync("mkdir", [bpf]);
  execFileSync("mount", ["-t", "bpf", "bpf", bpf]);
  afterAll(() => {
    execFileSync("umount", [bpf]);
    rmSync(folder, { recursive: true });
  });
  return { folder, bpf };
}
