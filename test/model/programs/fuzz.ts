// `make fuzz WORLDS=100000 PROGRAMS=1`: worlds by chance through the real programs, without end or as many pairs of them as WORLDS says.
// SEED=… repeats a run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { insideArgv } from "../../kernels/namespaces.ts";
import { preparedObjects } from "../../packets/objects.ts";

const scratch = mkdtempSync(join(tmpdir(), "worlds-"));
try {
  const { objects } = await preparedObjects(scratch);
  const [file = "", ...args] = insideArgv(join(import.meta.dirname, "inside.ts"), objects, scratch);
  process.exitCode = spawnSync(file, args, { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(scratch, { recursive: true });
}
