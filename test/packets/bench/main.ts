// `make bench-packets`: ns per packet of each kind, compared with another version's programs in alternating rounds of
// one run. --against REVISION (default: HEAD), --rounds COUNT, --keep, --json; --trial: one round, nothing is written.
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { observeEnvironment } from "../../../measure/environment.ts";
import { writeResult } from "../../../measure/result-file.ts";
import { includes } from "../../../tools/bpf.ts";
import { run } from "../../../tools/command.ts";
import { ask, startInside } from "../inside.ts";
import { preparedObjects } from "../objects.ts";
import type { Batch } from "./inside.ts";
import { kinds } from "./kinds.ts";
import { type Pair, summarize, tableOf } from "./summary.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const { values } = parseArgs({
  options: {
    against: { type: "string", default: "HEAD" },
    rounds: { type: "string", default: "21" },
    keep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    trial: { type: "boolean", default: false },
  },
});

const scratch = mkdtempSync(join(tmpdir(), "bench-packets-"));
try {
  const commit = await run("git", ["rev-parse", "--short=12", "--verify", `${values.against}^{commit}`], { cwd: root });
  const environment = await observeEnvironment(`make bench-packets AGAINST=${commit.trim()}`);
  const pairs = await measure(commit.trim(), values.trial ? 1 : Number(values.rounds));
  const result = { environment: environment(), against: commit.trim(), kinds: summarize(pairs) };
  const files = values.trial ? [] : writeResult("packets", result, values.keep);
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : `${tableOf(result)}\n`);
  process.stderr.write(files.map((file) => `written: ${file}\n`).join(""));
} finally {
  rmSync(scratch, { recursive: true });
}

/** Every kind at both versions in every round; their order alternates. */
async function measure(against: string, rounds: number): Promise<Pair[]> {
  const there = await otherVersion(against);
  const { objects, preamble } = await preparedObjects(scratch);
  const again = join(scratch, "again.bpf.o");
  const source = join(import.meta.dirname, "again.bpf.c");
  await run("clang", ["-O2", "-g", "-target", "bpf", "-mcpu=v3", ...includes(), "-c", source, "-o", again]);
  const now = await start([objects, preamble, again]);
  const before = await start([join(there, "dist", "bpf"), preamble, again], there);
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [kind, { say }] of kinds.entries()) {
      const first = (round + kind) % 2 === 0 ? now : before;
      const [a, b] = [await batch(first, kind), await batch(first === now ? before : now, kind)];
      pairs.push({ say, round, now: first === now ? a : b, before: first === now ? b : a });
    }
  }
  for (const child of [now, before]) child.disconnect();
  return pairs;
}

/** The sources of another version with their compiled objects. Packages are those of this one. */
async function otherVersion(revision: string): Promise<string> {
  const folder = join(scratch, "other");
  mkdirSync(folder);
  await run("sh", ["-c", `git archive "$1" | tar -x -C "$2"`, "sh", revision, folder], { cwd: root });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  // Compiled again only if its sources are others.
  cpSync(join(root, "dist", "bpf"), join(folder, "dist", "bpf"), { recursive: true });
  await run(process.execPath, ["tools/build.ts", "--quiet", "bpf"], { cwd: folder });
  return folder;
}

function start(args: readonly string[], borrowedFrom?: string): Promise<ChildProcess> {
  const preloaded = borrowedFrom ? ["--import", join(import.meta.dirname, "borrowed.ts")] : [];
  const inside = [...preloaded, join(import.meta.dirname, "inside.ts"), ...args];
  return startInside(inside, borrowedFrom ? { BORROWED_FROM: borrowedFrom } : {});
}

async function batch(child: ChildProcess, kind: number): Promise<Batch> {
  return (await ask(child, kind)) as Batch;
}
