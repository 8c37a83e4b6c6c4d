// Writes a tree as a tar file whose bytes depend only on its content: sorted, owned by root, with the epoch as its time.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import { directory, type Entry, type Tree } from "./tree.ts";

export interface Blob {
  /** Its bytes, in a file or in memory. */
  content: string | Buffer;
  /** `sha256:<hex>` of the bytes. */
  digest: string;
  size: number;
}

/** The fields that tar-stream needs; it fills in the rest. */
export type FileHeader = Pick<Header, "name"> & Partial<Header>;

export const EPOCH = new Date(0);

/** @param file the layer is written to this file */
export async function writeLayer(tree: Tree, file: string): Promise<Blob> {
  const tar = pack();
  const hash = createHash("sha256");
  tar.on("data", (chunk) => hash.update(chunk as Buffer));
  const written = pipeline(tar, createWriteStream(file));
  const complete = withParents(tree);
  for (const path of Object.keys(complete).sort()) await add(tar, path, complete[path] as Entry);
  tar.finalize();
  await written;
  return { content: file, digest: `sha256:${hash.digest("hex")}`, size: statSync(file).size };
}

/** Adds every directory above an entry, so that the extracting program does not choose its mode. */
export function withParents(tree: Tree): Tree {
  const complete = { ...tree };
  for (const path of Object.keys(tree)) {
    for (let parent = posix.dirname(path); parent !== "/"; parent = posix.dirname(parent))
      complete[parent] ??= directory();
  }
  return complete;
}

async function add(tar: ReturnType<typeof pack>, path: string, entry: Entry): Promise<void> {
  const common: FileHeader = { name: path.slice(1), mtime: EPOCH, uid: 0, gid: 0 };
  switch (entry.kind) {
    case "directory":
      return addWhole(tar, { ...common, type: "directory", mode: entry.mode });
    case "link":
      return addWhole(tar, { ...common, type: "symlink", linkname: entry.target, mode: 0o777 });
    case "text":
      return addWhole(tar, { ...common, type: "file", mode: 0o644 }, entry.text);
    case "file": {
      const size = statSync(entry.source).size;
      const sink = tar.entry({ ...common, type: "file", mode: entry.executable ? 0o755 : 0o644, size });
      await pipeline(createReadStream(entry.source), sink);
    }
  }
}

function addWhole(tar: ReturnType<typeof pack>, header: FileHeader, content = ""): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tar.entry(header, content, (error) => (error ? reject(error) : resolve()));
  return promise;
}
