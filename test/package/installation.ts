// The package as its users get it: packed, and installed by npm with its dependencies in an empty project.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePackage } from "../../tools/package.ts";

const checkout = join(import.meta.dirname, "..", "..");

export interface Installation {
  /** The project: `node_modules` is in it. */
  folder: string;
  /** `node_modules/ebpf-dataplane` in it. */
  package: string;
  remove(): void;
}

/**
 * Direct dependencies have the versions of the lock file, which are in npm's cache since the installation of
 * the checkout.
 */
export async function installPackage(): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), "consumer-"));
  const tarball = await makePackage(folder);
  const dependencies = { ...lockedDependencies(), "ebpf-dataplane": `file:${tarball}` };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
  const words = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", words, { cwd: folder, encoding: "utf8", timeout: 840_000, stdio: "pipe" });
  return {
    folder,
    package: join(folder, "node_modules", "ebpf-dataplane"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function lockedDependencies(): Record<string, string> {
  const read = (file: string) => JSON.parse(readFileSync(join(checkout, file), "utf8"));
  const { packages } = read("package-lock.json") as { packages: Record<string, { version: string }> };
  const names = Object.keys(read("package.json").dependencies);
  return Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`]?.version ?? "*"]));
}
