// The package as its users get it: packed, and installed in an empty project with what it depends on and nothing else.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const checkout = join(import.meta.dirname, "..", "..");

export interface Installation {
  /** The project: `node_modules` is in it. */
  folder: string;
  /** `node_modules/ebpf-dataplane` in it. */
  package: string;
  remove(): void;
}

/** Needs no registry: what the package depends on is linked from the checkout, what its development needs is left out. */
export function installPackage(): Installation {
  const folder = mkdtempSync(join(tmpdir(), "consumer-"));
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const tarball = execFileSync("npm", pack, { cwd: checkout, encoding: "utf8", timeout: 120_000 }).trim();
  const installed = join(folder, "node_modules", "ebpf-dataplane");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, tarball), "-C", installed, "--strip-components=1"], { timeout: 60_000 });
  for (const name of dependencies()) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(checkout, "node_modules", name), link);
  }
  return { folder, package: installed, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Lock {
  packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
}

/** What `npm install` of the package would put directly into `node_modules`. */
function dependencies(): string[] {
  const lock = JSON.parse(readFileSync(join(checkout, "package-lock.json"), "utf8")) as Lock;
  return Object.entries(lock.packages).flatMap(([path, { dev, optional, devOptional }]) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    return name && !dev && !optional && !devOptional ? [name] : [];
  });
}
