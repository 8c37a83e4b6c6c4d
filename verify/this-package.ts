// Facts about the running package.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The bundle is in dist/, this file in verify/. */
const packageFolder = join(import.meta.dirname, "..");

export function packageVersion(folder = packageFolder): string {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}

/** Whether this is a checkout, whose commands are targets of make, and not an installed package. */
export function isCheckout(folder = packageFolder): boolean {
  return existsSync(join(folder, "Makefile"));
}

/** Commit of this package's checkout, `-dirty` when files differ. Undefined for an installed package, also inside another repository. */
export function packageCommit(folder = packageFolder): string | undefined {
  try {
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", stdio: "pipe", timeout: 10_000 }).trim();
    if (git("rev-parse", "--show-cdup") !== "") return undefined;
    return git("describe", "--always", "--dirty", "--exclude=*", "--abbrev=12");
  } catch {
    return undefined;
  }
}
