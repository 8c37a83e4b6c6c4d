// The checks for every commit besides the tests: format and lint, types, structure, generated files.
import { join } from "node:path";
import { run } from "./command.ts";
import { spoken } from "./durations.ts";
import { tsc } from "./tsc.ts";

const root = join(import.meta.dirname, "..");
const binary = (path: string) => join("node_modules", path);
const node = (...args: string[]) => run(process.execPath, args, { cwd: root, timeoutSeconds: 600 });

interface Rule {
  name: string;
  check(): Promise<unknown>;
}

const RULES: Rule[] = [
  {
    name: "format and lint",
    check: () => node(binary("@biomejs/biome/bin/biome"), "check", "--error-on-warnings", "."),
  },
  { name: "types of the package", check: () => tsc("--noEmit", "-p", "tsconfig.json") },
  { name: "types of everything", check: () => tsc("--noEmit", "-p", "tsconfig.all.json") },
  { name: "structure", check: () => node("tools/checks/main.ts") },
  { name: "generated files are up to date", check: () => node("tools/generate/layout.ts", "--check") },
];

/** Runs all checks and reports each. @returns the number of passed checks and the names of failed ones */
export async function runGate(): Promise<{ passed: number; failures: string[] }> {
  const failures: string[] = [];
  for (const { name, check } of RULES) {
    const started = performance.now();
    try {
      await check();
      process.stderr.write(`✓ ${name}, ${spoken((performance.now() - started) / 1000)}\n`);
    } catch (error) {
      failures.push(name);
      process.stderr.write(`✗ ${name}\n${error instanceof Error ? error.message : error}\n`);
    }
  }
  return { passed: RULES.length - failures.length, failures };
}
