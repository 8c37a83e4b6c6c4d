// `make campaigns`: the tests that take long, and all property tests with other examples than `make test` has. The seed is new each time, so that
// new examples are found without a CI that depends on chance; SEED=… repeats a run. ONLY=properties leaves the long tests out.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const seed = process.env.SEED || `${Date.now() % 1_000_000_000}`;

/** Units whose examples are made by chance, themselves or by what they import. */
function propertyTests(): string[] {
  const files = globSync("**/*.{test,fixture}.ts", { cwd: root, exclude: ["node_modules", "dist", "out"] });
  const chance = /from "(fast-check|[./]*(random|histories)[\w-]*(\.fixture)?\.ts)"/;
  const isUnit = (file: string) => file.endsWith(".test.ts") && !/\.(system|campaign)\.test\.ts$/.test(file);
  return files.filter((file) => isUnit(file) && chance.test(readFileSync(join(root, file), "utf8"))).sort();
}

function passes(...args: string[]): boolean {
  const command = [join("node_modules", "vitest", "vitest.mjs"), "run", ...args];
  const { status } = spawnSync(process.execPath, command, {
    ...{ cwd: root, stdio: "inherit" },
    env: { ...process.env, SEED: seed },
  });
  return status === 0;
}

process.stdout.write(`SEED=${seed}\n`);
const runs = [
  () => passes("--project", "unit", ...propertyTests()),
  ...(process.env.ONLY === "properties" ? [] : [() => passes("--project", "campaign")]),
];
const failed = runs.filter((run) => !run());
process.stdout.write(failed.length > 0 ? `failed; SEED=${seed} repeats it\n` : `passed with SEED=${seed}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
