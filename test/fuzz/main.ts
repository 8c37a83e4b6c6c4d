// `make fuzz`: a campaign on this kernel. SEED=… PACKETS=… (for each program); the seed is printed, so that it can be had again.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { preparedObjects } from "../packets/objects.ts";
import { insideArgv } from "./namespaces.ts";

const seed = Number(process.env.SEED || Date.now() % 1_000_000_000);
const packets = Number(process.env.PACKETS || 100_000);
const scratch = mkdtempSync(join(tmpdir(), "fuzz-"));
try {
  const { objects, preamble } = await preparedObjects(scratch);
  const [file = "", ...args] = insideArgv(objects, preamble, seed, packets);
  process.exitCode = spawnSync(file, args, { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}
