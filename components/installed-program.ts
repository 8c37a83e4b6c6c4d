import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Folder of this package's installation: the checkout, `node_modules/ebpf-dataplane`, or the component plugin's folder.
 * This module runs from `components/` (TypeScript) or `dist/components/` (compiled), so the folder is looked for, not counted.
 */
export function packageRoot(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** Runs every command of this package; named so that a user's login shell makes no difference. */
export const INTERPRETER = ["/bin/sh", "-c"];

/** Shell words that run one of this package's programs with `node` from PATH, from any working directory. */
export function programCommand(program: "lab" | "verify" | "cluster", ...words: string[]): string {
  return ["node", join(packageRoot(), "dist", `${program}.js`), ...words].map(quoted).join(" ");
}

/** Content hash of a program, or "" where it is not built yet: what another version finds out may differ. */
export function programHash(program: "agent" | "cluster" | "verify"): string {
  const path = join(packageRoot(), "dist", `${program}.js`);
  return existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
}

function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
