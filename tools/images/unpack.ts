import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Unpacks all layers of an image into a folder, which is created if it is missing. @returns the folder */
export function unpackImage(archive: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const layout = mkdtempSync(join(tmpdir(), "layout-"));
  try {
    execFileSync("tar", ["-xf", archive, "-C", layout]);
    const blob = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
    const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));
    const manifest = json(blob(json(join(layout, "index.json")).manifests[0].digest));
    for (const layer of manifest.layers) execFileSync("tar", ["-xf", blob(layer.digest), "-C", folder]);
    return folder;
  } finally {
    rmSync(layout, { recursive: true });
  }
}
