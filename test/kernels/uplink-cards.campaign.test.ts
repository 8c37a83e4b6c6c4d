// XDP in a driver of a real kernel: virtio-net, in a guest whose nodes have such cards as their uplinks. Before Linux 6.3 that driver knows no packets of several
// pages. Its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { preparedObjects } from "../packets/objects.ts";
import { whyNoCards } from "./cards.ts";
import { SERIES } from "./debian-kernel.ts";
import { whyNoGuest } from "./emulators.ts";
import { findingsIn, wrong } from "./findings.ts";
import { runInGuest } from "./node-guest.ts";
import { cards } from "./virtual-cards.ts";

const script = join(import.meta.dirname, "uplink-cards.ts");

test.for(SERIES)(
  "the driver of Linux %s forwards what tc would, whatever becomes of its card",
  { timeout: 1_800_000 },
  async (series, { onTestFinished, skip }) => {
    const absent = whyNoGuest() ?? whyNoCards();
    if (absent) skip(absent);
    const scratch = mkdtempSync(join(tmpdir(), "cards-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const guest = { ...(await preparedObjects(scratch)), scratch, series, script, args: [], hasMachines: true, cards };
    const printed = await runInGuest({ ...guest, isLong: true }, 1700);
    const { kernel, cards: seen } = findingsIn(printed);
    expect(kernel.startsWith(`${series}.`)).toBe(true);
    console.log(`${Object.keys(seen).length} questions about cards on Linux ${kernel}`);
    expect(wrong(seen), printed.slice(-3000)).toEqual([]);
    expect(Object.keys(seen).length).toBeGreaterThan(15);
  },
);
