// `make test`: all tests, the most informative first: checks (which use one processor, so the build uses the other), unit tests, then system
// tests. The stories on whole clusters mostly wait, so they run beside both. Ends with a summary line: "N passed, N failed, N skipped".
// `--units` is the gate before a commit.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./children.ts";
import { runGate } from "./gate.ts";
import { TALLY_FILE, type Tally } from "./tally-reporter.ts";
import { timeReport } from "./test-budget.ts";

const root = join(import.meta.dirname, "..");
/** V8 compiles the commands under test, which start hundreds of times, once. */
const cached = { ...process.env, NODE_COMPILE_CACHE: join(root, "dist", ".compile-cache") };
const nothing: Tally = { passed: 0, failures: [], skipped: [], seconds: {} };

interface Run {
  minutes: number;
  /** Print everything at the end, under this heading, because other tests print meanwhile. */
  heading?: string;
}

/** Runs projects of vitest.config.mts side by side; what vitest prints is passed on. */
async function runVitest(projects: string[], { minutes, heading: title }: Run): Promise<Tally> {
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
    const vitest = startChild(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", title ? "pipe" : "inherit", title ? "pipe" : "inherit"],
      env: { ...cached, [TALLY_FILE]: file },
      timeout: minutes * 60_000,
    });
    const printed: Buffer[] = [];
    for (const stream of [vitest.stdout, vitest.stderr]) stream?.on("data", (chunk: Buffer) => printed.push(chunk));
    const [status, signal] = (await once(vitest, "close")) as [number | null, string | null];
    if (title) {
      heading(title);
      process.stdout.write(Buffer.concat(printed));
    }
    if (!existsSync(file)) {
      const failure = `${projects.join(" and ")} tests exited early (${signal ?? `status ${status}`})`;
      process.stderr.write(`✗ ${failure}\n`);
      return { ...nothing, failures: [failure] };
    }
    const tally = JSON.parse(readFileSync(file, "utf8")) as Tally;
    if (status === 0 || tally.failures.length > 0) return tally;
    return {
      ...tally,
      failures: [
        `${projects.join(" and ")} tests ended with status ${status}: no test failed, a worker may have crashed`,
      ],
    };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The parts are built first, so that tests do not use an outdated build. */
async function build(): Promise<Tally> {
  const args = [join("tools", "build.ts")];
  const [status] = await once(
    startChild(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }),
    "close",
  );
  if (status === 0) await compileForMachines();
  return { ...nothing, failures: status === 0 ? [] : ["the build"] };
}

/** Machines of a lab only read the cache, so programs that start there run here first. The result does not matter. */
async function compileForMachines(): Promise<void> {
  const programs = [[join("test", "datapath", "cluster", "prober.ts")], [join("dist", "agent.js"), "--help"]];
  const start = (words: string[]) => spawn(process.execPath, words, { cwd: root, stdio: "ignore", env: cached });
  await Promise.all(programs.map((words) => once(start(words), "close")));
}

const heading = (title: string) => process.stderr.write(`\n── ${title}\n`);

const units = () => runVitest(["unit", "stacks"], { minutes: 60 });

const rules = async (): Promise<Tally> => ({ ...nothing, ...(await runGate()) });

const tallies: Tally[] = [];
if (process.argv.includes("--units")) {
  heading("rules");
  tallies.push(await rules());
  heading("units");
  tallies.push(await units());
} else {
  heading("rules, and the build beside them");
  tallies.push(...(await Promise.all([rules(), build()])));
  const stories = runVitest(["walkthrough"], { minutes: 60, heading: "walk-through" });
  heading("units; the walk-through runs beside them and is printed at its end");
  tallies.push(await units());
  heading("system tests");
  tallies.push(await runVitest(["system"], { minutes: 60 }));
  tallies.push(await stories);
}

const skipped = tallies.flatMap((tally) => tally.skipped);
const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
const failures = tallies.flatMap((tally) => tally.failures);
process.stdout.write(`\n${timeReport(Object.assign({}, ...tallies.map(({ seconds }) => seconds)))}\n`);
// Named here as well, because a log may be kept only in part.
for (const failure of failures) process.stdout.write(`failed: ${failure}\n`);
for (const reason of skipped) process.stdout.write(`skipped: ${reason}\n`);
process.stdout.write(`${passed} passed, ${failures.length} failed, ${skipped.length} skipped\n`);
process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
