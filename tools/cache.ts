// What is built outside the checkout, and under which name: an artefact is named by the content it was made from, so
// a name that exists never needs to be built again, in this checkout or another.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** The folder of everything that is slow to make; made when it is missing. */
export function cacheFolder(...below: string[]): string {
  const folder = join(process.env.EBPF_DATAPLANE_CACHE || "/var/cache/ebpf-dataplane", ...below);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Twelve hexadecimal digits that stand for these parts, each with its name; the order of the names means nothing. */
export function contentKey(parts: Record<string, string | Uint8Array>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(parts).sort()) {
    const content = Buffer.from(parts[name] as string);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

/** The files below a folder with their contents, named relative to it, as `contentKey` wants them. */
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

/** Points a stable name at the newest artefact; replaced at once, so a reader never finds it missing. */
export function publish(link: string, target: string): void {
  const draft = `${link}.${process.pid}`;
  rmSync(draft, { force: true });
  symlinkSync(target, draft);
  renameSync(draft, link);
}

/**
 * Removes old artefacts of one kind: all but the newest `kept` and those in use.
 * @param artefacts paths that may be removed
 */
export function keepNewest(artefacts: string[], kept: number, inUse: string[] = []): void {
  const others = artefacts.filter((path) => existsSync(path) && !inUse.includes(path));
  const newestFirst = others.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of newestFirst.slice(kept)) rmSync(path, { force: true });
}

/** Drafts are written beside their artefact, which they become by a rename; a killed build leaves its own behind. */
export function removeAbandoned(drafts: string[]): void {
  const anHourAgo = Date.now() - 3_600_000;
  const old = drafts.filter((path) => existsSync(path) && statSync(path).mtimeMs < anHourAgo);
  for (const path of old) rmSync(path, { recursive: true, force: true });
}
