// Builds one image, unless the cache has one with the same content.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, contentKey } from "../cache.ts";
import { type ImageConfig, writeArchive } from "./archive.ts";
import { type Blob, writeLayer } from "./layer.ts";
import type { Tree } from "./tree.ts";

export interface Image {
  /** Stem of the archive's file name. */
  file: string;
  names: string[];
  config: ImageConfig;
  /** From the layer that changes least to the one that changes most, because a runtime unpacks only layers that it does not have. */
  layers: Tree[];
}

/** One entry of images.json. */
export interface MadeImage {
  names: string[];
  /** Absolute path of the archive. */
  file: string;
  /** Digest of the manifest: changes exactly when the image does. */
  digest: string;
}

/** Version of the build procedure: another number rebuilds all images. */
const RECIPE = "2";

export async function makeImage(
  image: Image,
  fingerprint: (file: string) => string,
): Promise<{ made: MadeImage; fresh: boolean }> {
  const archive = join(cacheFolder("images"), `${image.file}-${imageKey(image, fingerprint)}.tar`);
  const note = `${archive}.json`;
  if (existsSync(note) && existsSync(archive)) {
    // Removal of old archives (build.ts) goes by the time of the last use.
    const now = new Date();
    for (const used of [archive, note]) utimesSync(used, now, now);
    return { made: JSON.parse(readFileSync(note, "utf8")) as MadeImage, fresh: true };
  }
  const draft = `${archive}.${process.pid}`;
  const layerFile = (index: number) => `${draft}.layer${index}`;
  try {
    const layers: Blob[] = [];
    for (const [index, tree] of image.layers.entries()) layers.push(await writeLayer(tree, layerFile(index)));
    const digest = await writeArchive(draft, image.names, image.config, layers);
    renameSync(draft, archive);
    // Written last: an archive without its note is incomplete.
    const made = { names: image.names, file: archive, digest };
    writeFileSync(`${draft}.json`, JSON.stringify(made));
    renameSync(`${draft}.json`, note);
    return { made, fresh: false };
  } finally {
    for (const index of image.layers.keys()) rmSync(layerFile(index), { force: true });
    rmSync(draft, { force: true });
  }
}

function imageKey(image: Image, fingerprint: (file: string) => string): string {
  const layers = image.layers.map((tree) =>
    Object.keys(tree)
      .sort()
      .map((path) => {
        const entry = tree[path];
        return entry?.kind === "file" ? [path, fingerprint(entry.source), entry.executable] : [path, entry];
      }),
  );
  return contentKey({
    recipe: RECIPE,
    image: JSON.stringify([image.names, image.config, layers]),
    processor: process.arch,
  });
}

/** SHA-256 of a file's content. */
export const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");
