// The benchmark of policies, as short as it can be: that both dataplanes let in whom the policies let in. Never what it measures.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noKernel } from "../../../agent/kernel/bpffs.fixture.ts";
import { run } from "../../../tools/command.ts";
import type { PolicyCosts } from "./summary.ts";

const noTables = spawnSync("nft", ["list", "tables"]).status !== 0;

test("our maps and nftables' rules let in the same connections, and both follow a change", async ({ skip }) => {
  if (noKernel) skip(noKernel);
  if (noTables) skip("SKIP: nftables is not available, so there is nothing to measure against");
  const printed = await run(process.execPath, [join(import.meta.dirname, "main.ts"), "--trial", "--json"], {
    timeoutSeconds: 840,
  });
  const { packets, changes, last } = JSON.parse(printed) as PolicyCosts;
  expect(packets.map(({ side, flow, arrived }) => [side, flow, arrived])).toEqual([
    ["floor", "allowed", 0],
    ["ebpf", "allowed", 1],
    ["nftables", "allowed", 1],
    ["floor", "refused", 0],
    ["ebpf", "refused", 0],
    ["nftables", "refused", 0],
  ]);
  expect(last.written).toBeGreaterThan(0);
  expect(changes.nftables.p50.wall).toBeGreaterThan(0);
});
