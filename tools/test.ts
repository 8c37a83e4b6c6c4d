// `make test`: everything, in the order in which a failure tells most: rules, units, then what runs on this kernel beside the
// walk-through. Ends with one line that counts: "N passed, N failed, N skipped". `--units` is the gate of a commit.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runGate } from "./gate.ts";
import { TALLY_FILE, type Tally } from "./tally-reporter.ts";
import { timeReport } from "./test-budget.ts";

const root = join(import.meta.dirname, "..");
const nothing: Tally = { passed: 0, failed: 0, skipped: [], seconds: {} };

/** Runs projects of vitest.config.mts side by side; what vitest prints is passed on. */
function runVitest(projects: string[], minutes: number): Tally {
  const scratch = mkdtempSync(join(tmpdir(), "tally-"));
  const file = join(scratch, "tally.json");
  try {
    const reporters = ["--reporter=default", `--reporter=${join(import.meta.dirname, "tally-reporter.ts")}`];
    const args = [
      join("node_modules", "vitest", "vitest.mjs"),
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      "--passWithNoTests",
      ...reporters,
    ];
    const { status, error } = spawnSync(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, [TALLY_FILE]: file },
      timeout: minutes * 60_000,
    });
    if (!existsSync(file)) {
      process.stderr.write(
        `✗ ${projects.join(" and ")} tests ended before their end (${error?.message ?? `status ${status}`})\n`,
      );
      return { ...nothing, failed: 1 };
    }
    const tally = JSON.parse(readFileSync(file, "utf8")) as Tally;
    // An ending that no test accounts for, as a worker that crashed.
    return status !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The parts are built first: tests of what is built must not judge what was built last week. */
function build(): Tally {
  const args = [join("tools", "build.ts")];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  return { ...nothing, failed: status === 0 ? 0 : 1 };
}

const heading = (title: string) => process.stderr.write(`\n── ${title}\n`);

const tallies: Tally[] = [];
heading("rules");
tallies.push({ ...nothing, ...(await runGate()) });
heading("units");
tallies.push(runVitest(["unit"], 15));
if (!process.argv.includes("--units")) {
  heading("build");
  tallies.push(build());
  heading("on this computer, and the walk-through beside it");
  tallies.push(runVitest(["system", "walkthrough"], 45));
}

const skipped = tallies.flatMap((tally) => tally.skipped);
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
process.stdout.write(`\n${timeReport(Object.assign({}, ...tallies.map(({ seconds }) => seconds)))}\n`);
for (const reason of skipped) process.stdout.write(`skipped: ${reason}\n`);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
