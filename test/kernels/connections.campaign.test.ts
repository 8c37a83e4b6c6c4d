// Pods, nodes and clients reach each other through real agents and CNI plugins on Debian's kernel 6.1, for each processor: programs attach by clsact
// there, and sockets, namespaces and interfaces are that kernel's. Its guest is emulated, so it is part of `make campaigns`.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROCESSORS } from "../../tools/images/processor.ts";
import { preparedObjects } from "../packets/objects.ts";
import { whyNoGuest } from "./emulators.ts";
import { findingsIn, wrong } from "./findings.ts";
import { runInGuest } from "./node-guest.ts";

const script = join(import.meta.dirname, "connections.ts");

test.for(PROCESSORS)(
  "connections on Debian's kernel 6.1 for $name",
  { timeout: 1_800_000 },
  async (processor, { onTestFinished, skip }) => {
    const absent = whyNoGuest(processor.name);
    if (absent) skip(absent);
    const scratch = mkdtempSync(join(tmpdir(), "connections-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const guest = { ...(await preparedObjects(scratch)), scratch, processor, script, args: [], hasMachines: true };
    const printed = await runInGuest({ ...guest, isLong: true }, 1700);
    const { kernel, processor: seen, connections } = findingsIn(printed);
    expect([kernel, seen]).toEqual([expect.stringMatching(/^6\.1\./), processor.node]);
    console.log(`${Object.keys(connections).length} connections on Linux ${kernel}`);
    expect(wrong(connections), printed.slice(-3000)).toEqual([]);
    expect(Object.keys(connections).length).toBeGreaterThan(25);
  },
);
