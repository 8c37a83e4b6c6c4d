// `make mutants`: disables each check of list.ts in the packet path, and reports what notices: the fuzzer within PACKETS packets for
// each program (SEED=…), or the packet tests. A mutant that survives is a gap in both. ONLY=PATTERN selects mutants.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { includes } from "../../tools/bpf.ts";
import { run } from "../../tools/command.ts";
import { insideArgv } from "../kernels/namespaces.ts";
import { preparedObjects } from "../packets/objects.ts";
import { type Mutant, mutants } from "./list.ts";

const root = join(import.meta.dirname, "..", "..");
const inside = join(root, "test", "fuzz", "inside.ts");
const seed = Number(process.env.SEED || 30905);
const packets = Number(process.env.PACKETS || 20_000);
const packetSuites = [
  "packets",
  "associations",
  "full-tables",
  "outer-headers",
  "bandwidth",
  "outgoing",
  "refused-again",
  "taking-over",
  "card",
].map((name) => `test/packets/${name}.system.test.ts`);
const suites = [...packetSuites, "agent/kernel/socket-walk.system.test.ts"];
const scratch = mkdtempSync(join(tmpdir(), "mutants-"));

try {
  const { preamble } = await preparedObjects(scratch);
  const survivors: string[] = [];
  for (const mutant of mutants.filter(({ say }) => new RegExp(process.env.ONLY ?? "").test(say))) {
    const objects = await compiled(mutant);
    const who = [noticedByFuzzer(objects, preamble), noticedByPacketTests(objects)].filter(Boolean);
    process.stdout.write(
      `${who.length > 0 ? "noticed " : "SURVIVES"} ${mutant.say}${who.map((one) => `; ${one}`).join("")}\n`,
    );
    if (who.length === 0) survivors.push(mutant.say);
  }
  process.exitCode = survivors.length > 0 ? 1 : 0;
} finally {
  rmSync(scratch, { recursive: true });
}

async function compiled({ say, file, text, instead }: Mutant): Promise<string> {
  const [sources, objects] = [join(scratch, "bpf"), join(scratch, "objects")];
  for (const folder of [sources, objects]) rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, "bpf"), sources, { recursive: true });
  mkdirSync(objects);
  const source = readFileSync(join(sources, file), "utf8");
  if (source.split(text).length !== 2)
    throw new Error(`The mutant "${say}" does not match exactly once in bpf/${file}.`);
  writeFileSync(
    join(sources, file),
    source.replace(text, () => instead),
  );
  await Promise.all(
    globSync("*.bpf.c", { cwd: sources }).map((name) =>
      run("clang", [
        ...["-O2", "-g", "-target", "bpf", "-mcpu=v3", ...includes()],
        ...["-c", join(sources, name), "-o", join(objects, `${basename(name, ".c")}.o`)],
      ]),
    ),
  );
  return objects;
}

function noticedByFuzzer(objects: string, preamble: string): string {
  const [file = "", ...args] = insideArgv(inside, objects, preamble, `${seed}`, `${packets}`);
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
  const rules = [...stdout.matchAll(/^FAILED, "(\w+)": (\d+)/gm)].map(([, rule, count]) => `${rule} ${count}`);
  if (status !== 0 && rules.length === 0) throw new Error(`The fuzzer did not run: ${stderr.slice(-2000)}`);
  return rules.length > 0 ? `fuzz: ${rules.join(", ")}` : "";
}

function noticedByPacketTests(objects: string): string {
  const args = ["vitest", "run", "--project", "system", ...suites];
  const env = { ...process.env, NO_COLOR: "1", EBPF_DATAPLANE_OBJECTS: objects };
  const { status, stdout } = spawnSync("npx", args, { cwd: root, encoding: "utf8", env });
  const failed = /(\d+) failed/.exec(/^\s*Tests .*$/m.exec(stdout)?.[0] ?? "")?.[1];
  if (status !== 0 && !failed) throw new Error(`The packet tests did not run: ${stdout.slice(-2000)}`);
  return failed ? `packets: ${failed} tests` : "";
}
