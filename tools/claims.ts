// What checkouts use of the cache that they share, so that a build in one removes nothing that another still needs.
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, contentKey } from "./cache.ts";

interface Claim {
  checkout: string;
  files: string[];
}

const root = join(import.meta.dirname, "..");

/**
 * Says what a checkout uses from now on, in place of what it used before.
 * @param kind of artifacts: letters, digits and "-"
 * @param files paths in the cache
 */
export function claim(kind: string, files: string[], checkout = root): void {
  const path = join(cacheFolder("claims"), `${contentKey({ checkout })}-${kind}.json`);
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ checkout, files } satisfies Claim));
  renameSync(draft, path);
}

/** What any checkout uses. One that was removed uses nothing. */
export function claimed(): string[] {
  return globSync(join(cacheFolder("claims"), "*.json")).flatMap((path) => {
    const claim = read(path);
    if (claim && existsSync(join(claim.checkout, "package.json"))) return claim.files;
    rmSync(path, { force: true });
    return [];
  });
}

/** Undefined: another process has removed it meanwhile, or a full disk has cut it. */
function read(path: string): Claim | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Claim;
  } catch {
    return undefined;
  }
}
