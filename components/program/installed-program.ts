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

/**
 * Runs every command of this package (`run-program.sh`): finds the package's folder when the command runs, so that the state of a
 * deployment holds no path of the computer that made it. Named so that a user's login shell makes no difference.
 */
export const INTERPRETER = ["/bin/sh", "-c", script("run-program.sh")];

/** One of this package's programs with its arguments, as `INTERPRETER` runs it from the folder of the Pulumi program. */
export function programCommand(program: "lab" | "verify" | "cluster", ...words: string[]): string {
  return [program, ...words].map(quoted).join(" ");
}

/** Content hash of a program, or "" where it is not built yet: what another version finds out may differ. */
export function programHash(program: "cluster" | "probe" | "verify"): string {
  const path = join(packageRoot(), "dist", `${program}.js`);
  return existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
}

function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A script of this folder without its comments, which would be kept with every command. */
function script(name: string): string {
  const text = readFileSync(join(packageRoot(), "components", "program", name), "utf8");
  return text.replace(/^ *#.*\n/gm, "").trimEnd();
}
