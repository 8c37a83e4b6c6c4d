// A short campaign with a fixed seed; `make fuzz PACKETS=1000000` is the long one.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noKernel } from "../../agent/kernel/bpffs.fixture.ts";
import { run } from "../../tools/command.ts";
import { whyNoGuest } from "../kernels/guest.ts";
import { insideArgv } from "../kernels/namespaces.ts";
import { preparedObjects } from "../packets/objects.ts";
import { fuzzInGuest } from "./guest.ts";
import { isGoodText } from "./report.ts";

const inside = join(import.meta.dirname, "inside.ts");
const SEED = 30905;
const PACKETS = 20_000;
const PACKETS_IN_GUEST = 10_000;

test.skipIf(noKernel)(
  "packets by chance: one outcome each, and nothing delivered that the model does not allow",
  async ({ onTestFinished }) => {
    const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const { objects, preamble } = await preparedObjects(scratch);
    const [file = "", ...args] = insideArgv(inside, objects, preamble, `${SEED}`, `${PACKETS}`);
    const report = await run(file, args, { timeoutSeconds: 280 });
    console.log(report);
    for (const outcome of EXERCISED) expect(report).toMatch(new RegExp(`\\b${outcome} \\d`));
  },
  300_000,
);

test.skipIf(noKernel)(
  "the same on Debian's kernel 6.1, with fewer packets",
  async ({ onTestFinished, skip }) => {
    const absent = whyNoGuest();
    if (absent) skip(absent);
    const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const prepared = await preparedObjects(scratch);
    const report = await fuzzInGuest({ ...prepared, seed: SEED, packets: PACKETS_IN_GUEST, scratch }, 480);
    console.log(report);
    expect(report).toMatch(/^seed \d+, kernel 6\.1\./);
    for (const outcome of EXERCISED) expect(report).toMatch(new RegExp(`\\b${outcome} \\d`));
    expect(isGoodText(report)).toBe(true);
  },
  600_000,
);

/** A campaign that reaches none of these tests nothing. */
const EXERCISED = [
  ...[
    "pass_to_stack",
    "to_endpoint",
    "to_network",
    "to_overlay",
    "forward_service",
    "return_direct",
    "return_via_entry",
  ],
  ...["return_forwarded", "reject_no_backend", "drop_policy_ingress", "drop_policy_egress", "drop_no_local_backend"],
  ...["drop_unknown_endpoint", "drop_spoofed_source", "drop_unknown_tunnel_peer", "drop_malformed", "drop_fragment"],
  "drop_unsupported",
];
