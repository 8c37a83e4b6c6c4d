// `make fuzz`: a campaign on this kernel, KERNEL=6.1: on Debian's, in a guest, ARCH=arm64: in one with that processor. SEED=… PACKETS=… (for each
// program); the seed is printed, so that the run can be repeated.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SERIES } from "../kernels/debian-kernel.ts";
import { guestProcessor, whyNoGuest } from "../kernels/emulators.ts";
import { insideArgv } from "../kernels/namespaces.ts";
import { preparedObjects } from "../packets/objects.ts";
import { fuzzInGuest } from "./guest.ts";
import { progressIn } from "./progress.ts";
import { isGoodText } from "./report.ts";

const inside = join(import.meta.dirname, "inside.ts");
const seed = Number(process.env.SEED || Date.now() % 1_000_000_000);
const packets = Number(process.env.PACKETS || 100_000);
const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
try {
  const { KERNEL: kernel, ARCH: arch = "" } = process.env;
  const series = SERIES.find((one) => one === kernel);
  if (kernel && !series) throw new Error(`KERNEL is '${kernel}'; allowed is ${SERIES.join(" and ")}.`);
  if (!kernel && arch) throw new Error("ARCH is the processor of a guest. Next: add KERNEL=6.1.");
  if (series) {
    const processor = guestProcessor(arch);
    const absent = whyNoGuest(arch);
    if (absent) throw new Error(absent.replace("SKIP: ", ""));
    const { objects, preamble } = await preparedObjects(scratch);
    // Each packet takes about 1 ms there.
    const onLine = (line: string) => {
      const said = progressIn(line);
      if (said !== undefined) process.stderr.write(`${said}\n`);
    };
    const campaign = { objects, preamble, processor, series, seed, packets, scratch, onLine };
    const report = await fuzzInGuest(campaign, 300 + packets / 50);
    process.stdout.write(report);
    process.exitCode = isGoodText(report) ? 0 : 1;
  } else {
    const { objects, preamble } = await preparedObjects(scratch);
    const [file = "", ...args] = insideArgv(inside, objects, preamble, `${seed}`, `${packets}`);
    process.exitCode = spawnSync(file, args, { stdio: "inherit" }).status ?? 1;
  }
} finally {
  rmSync(scratch, { recursive: true });
}
