import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type Header, type Pack, pack } from "tar-stream";
import { LabFailure } from "../failure.ts";
import { type Archive, placeOf, refusal, streamOf } from "./archive.ts";
import type { Chosen } from "./choose.ts";

/** Fixed, so that equal images give equal copies. */
const EPOCH = new Date(0);

/** Writes the chosen images as a new archive. @returns the digest of the file */
export async function copyImages({ archive, documents, files }: Chosen, file: string): Promise<string> {
  const tar = pack();
  const hash = createHash("sha256");
  const written = pipeline(hashed(tar, hash), createWriteStream(file, { mode: 0o600 }));
  const ends = await Promise.allSettled([written, fill(tar, archive, documents, files)]);
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
  const known = failures.find((error) => "syscall" in error || error instanceof LabFailure);
  if (known) throw known;
  if (failures.length > 0)
    throw refusal(`${archive.path} changed while it was read`, "try again when nobody writes to it");
  return `sha256:${hash.digest("hex")}`;
}

async function fill(tar: Pack, archive: Archive, documents: Record<string, unknown>, files: string[]): Promise<void> {
  try {
    for (const [name, document] of Object.entries(documents)) await addFile(tar, name, JSON.stringify(document));
    for (const name of files) {
      const sink = tar.entry(headerOf(name, placeOf(archive, name).size));
      const [, algorithm, digest] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
      const hash = createHash(algorithm ?? "sha256");
      await pipeline(hashed(streamOf(archive, name), hash), sink);
      // A node that already has this content would not notice the difference, but nodes that join later would.
      if (digest && hash.digest("hex") !== digest)
        throw refusal(`${archive.path} is damaged: ${name} has another digest`, "make the archive again");
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(); // the writer ends, too
    throw error;
  }
}

async function* hashed(content: AsyncIterable<unknown>, hash: Hash): AsyncIterable<Buffer> {
  for await (const chunk of content) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
}

const headerOf = (name: string, size: number): Header => ({ name, size, mode: 0o644, mtime: EPOCH }) as Header;

function addFile(tar: Pack, name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(headerOf(name, Buffer.byteLength(text)), text, (error) => (error ? reject(error) : resolve()));
  });
}
