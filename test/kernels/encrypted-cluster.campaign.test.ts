// A whole cluster whose nodes encrypt, on Debian's kernel 6.1: this computer's may have no WireGuard. Its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { preparedObjects } from "../packets/objects.ts";
import { whyNoGuest } from "./emulators.ts";
import { findingsIn, wrong } from "./findings.ts";
import { runInGuest } from "./node-guest.ts";

const script = join(import.meta.dirname, "encrypted-cluster.ts");

test("a cluster that encrypts", { timeout: 1_800_000 }, async ({ onTestFinished, skip }) => {
  const absent = whyNoGuest();
  if (absent) skip(absent);
  const scratch = mkdtempSync(join(tmpdir(), "encrypted-"));
  onTestFinished(() => rmSync(scratch, { recursive: true }));
  const guest = {
    ...(await preparedObjects(scratch)),
    scratch,
    script,
    args: [],
    hasMachines: true,
    isLong: true,
  };
  const { kernel, connections } = findingsIn(await runInGuest(guest, 1700));
  expect(kernel).toMatch(/^6\.1\./);
  console.log(`${Object.keys(connections).length} questions about a cluster that encrypts on Linux ${kernel}`);
  expect(wrong(connections)).toEqual([]);
  expect(Object.keys(connections).length).toBeGreaterThan(40);
});
