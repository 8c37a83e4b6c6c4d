// The short campaign on Debian's kernel 6.1, for each processor, with fewer packets: its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROCESSORS } from "../../tools/images/processor.ts";
import { whyNoGuest } from "../kernels/emulators.ts";
import { preparedObjects } from "../packets/objects.ts";
import { fuzzInGuest } from "./guest.ts";
import { isGoodText } from "./report.ts";
import { EXERCISED, SEED } from "./short.ts";

const PACKETS = 10_000;

test.for(PROCESSORS)(
  "packets by chance on Debian's kernel 6.1 for $name: one outcome each, and nothing delivered that the model does not allow",
  { timeout: 600_000 },
  async (processor, { onTestFinished, skip }) => {
    const absent = whyNoGuest(processor.name);
    if (absent) skip(absent);
    const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const prepared = await preparedObjects(scratch);
    const report = await fuzzInGuest({ ...prepared, processor, seed: SEED, packets: PACKETS, scratch }, 480);
    console.log(report);
    expect(report).toMatch(new RegExp(`^seed \\d+, kernel 6\\.1\\.\\S+-${processor.name}\\b`));
    for (const outcome of EXERCISED) expect(report).toMatch(new RegExp(`\\b${outcome} \\d`));
    expect(isGoodText(report)).toBe(true);
  },
);
