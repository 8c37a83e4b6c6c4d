// A short campaign with a fixed seed; `make fuzz PACKETS=1000000` is the long one, and fuzz.kernel-6-1.campaign.test.ts the same on Debian's kernel.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noKernel } from "../../agent/kernel/bpffs.fixture.ts";
import { run } from "../../tools/command.ts";
import { insideArgv } from "../kernels/namespaces.ts";
import { preparedObjects } from "../packets/objects.ts";
import { EXERCISED, SEED } from "./short.ts";

const inside = join(import.meta.dirname, "inside.ts");
const PACKETS = 20_000;

test.skipIf(noKernel)(
  "packets by chance: one outcome each, and nothing delivered that the model does not allow",
  async ({ onTestFinished }) => {
    const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const { objects, preamble } = await preparedObjects(scratch);
    const [file = "", ...args] = insideArgv(inside, objects, preamble, `${SEED}`, `${PACKETS}`);
    const report = await run(file, args, { timeoutSeconds: 840 });
    console.log(report);
    for (const outcome of EXERCISED) expect(report).toMatch(new RegExp(`\\b${outcome} \\d`));
  },
);
