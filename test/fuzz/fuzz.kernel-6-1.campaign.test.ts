// The short campaign on Debian's kernel 6.1, with fewer packets: its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { whyNoGuest } from "../kernels/guest.ts";
import { preparedObjects } from "../packets/objects.ts";
import { fuzzInGuest } from "./guest.ts";
import { isGoodText } from "./report.ts";
import { EXERCISED, SEED } from "./short.ts";

const PACKETS = 10_000;

test("packets by chance on Debian's kernel 6.1: one outcome each, and nothing delivered that the model does not allow", async ({
  onTestFinished,
  skip,
}) => {
  const absent = whyNoGuest();
  if (absent) skip(absent);
  const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const prepared = await preparedObjects(scratch);
  const report = await fuzzInGuest({ ...prepared, seed: SEED, packets: PACKETS, scratch }, 480);
  console.log(report);
  expect(report).toMatch(/^seed \d+, kernel 6\.1\./);
  for (const outcome of EXERCISED) expect(report).toMatch(new RegExp(`\\b${outcome} \\d`));
  expect(isGoodText(report)).toBe(true);
}, 600_000);
