// The cache of artifacts outside the checkout. An artifact is named by the content of its inputs, so
// an existing name never has to be built again, in this checkout or another.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** The folder of everything that is slow to build; created if it is missing. */
export function cacheFolder(...below: string[]): string {
  const folder = join(process.env.EBPF_DATAPLANE_CACHE || usual(), ...below);
  mkdirSync(folder, { recursive: true });
  return folder;
}

let found: string | undefined;
const usual = (): string => {
  found ??= execFileSync("sh", [join(import.meta.dirname, "cache-folder")], { encoding: "utf8" }).trimEnd();
  return found;
};

/** A hash of these named parts, twelve hexadecimal digits, independent of their order. */
export function contentKey(parts: Record<string, string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(parts).sort()) {
    const content = Buffer.from(parts[name] as string);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

/** The files below a folder with their contents, named relative to it, as input for `contentKey`. */
export function contents(folder: string, wanted: (path: string) => boolean): Record<string, Uint8Array> {
  const found: Record<string, Uint8Array> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).split(sep).join("/");
    if (wanted(name)) found[name] = readFileSync(path);
  }
  return found;
}

/** Points a stable name at the newest artifact. Replaced atomically, so that a reader never finds it missing. */
export function publish(link: string, target: string): void {
  const draft = `${link}.${process.pid}`;
  rmSync(draft, { force: true });
  symlinkSync(target, draft);
  renameSync(draft, link);
}

/**
 * Removes old artifacts of one kind: all but the newest `kept` and those in use.
 * @param artefacts paths that may be removed
 */
export function keepNewest(artefacts: string[], kept: number, inUse: string[] = []): void {
  const others = artefacts.filter((path) => existsSync(path) && !inUse.includes(path));
  const newestFirst = others.sort((a, b) => modified(b) - modified(a));
  for (const path of newestFirst.slice(kept)) rmSync(path, { force: true });
}

/** 0: another process has removed it meanwhile. */
const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** A draft is written next to its artifact and renamed when it is complete; a killed build leaves its draft behind. */
export function removeAbandoned(drafts: string[]): void {
  const anHourAgo = Date.now() - 3_600_000;
  const old = drafts.filter((path) => existsSync(path) && modified(path) < anHourAgo);
  for (const path of old) rmSync(path, { recursive: true, force: true });
}
