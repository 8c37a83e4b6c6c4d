// One image for several processors: an index with the manifest of each.
//   https://github.com/opencontainers/image-spec/blob/main/image-index.md
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import type { Processor } from "./processor.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";

/** The agent's image for one processor. */
export interface ProcessorImage {
  processor: Processor;
  /** OCI archive. */
  file: string;
}

/** Writes an image layout with one index over all of these. @param layout an empty folder */
export async function writeIndex(layout: string, images: ProcessorImage[], tag: string): Promise<void> {
  const file = join(layout, "index.json");
  const manifests = [];
  for (const { processor, file: archive } of images) {
    // Archives can share the folder: blobs are named by their content, and only index.json is overwritten.
    await run("tar", ["-xf", archive, "-C", layout], { timeoutSeconds: 300 });
    const [{ mediaType, digest, size }] = JSON.parse(readFileSync(file, "utf8")).manifests;
    manifests.push({ mediaType, digest, size, platform: { os: "linux", architecture: processor.name } });
  }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
  const hash = createHash("sha256").update(index).digest("hex");
  writeFileSync(join(layout, "blobs", "sha256", hash), index);
  const annotations = { "org.opencontainers.image.ref.name": tag };
  const entry = { mediaType: INDEX, digest: `sha256:${hash}`, size: index.length, annotations };
  writeFileSync(file, JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [entry] }));
}
