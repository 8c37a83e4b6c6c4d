import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";
import { afterAll, expect, test } from "vitest";
import { writeArchive } from "./archive.ts";
import { type Blob, writeLayer } from "./layer.ts";
import { data, directory, link, program, type Tree, text } from "./tree.ts";

const folder = mkdtempSync(join(tmpdir(), "archive-"));
afterAll(() => rmSync(folder, { recursive: true }));

const source = join(folder, "source");
writeFileSync(source, "#!/bin/sh\n");
const tree: Tree = {
  "/usr/bin/tool": program(source),
  "/etc/tool.conf": data(source),
  "/etc/motd": text("hello\n"),
  "/usr/bin/alias": link("tool"),
  "/tmp": directory(0o1777),
};

test("writeLayer() writes the same bytes for the same content, at any time and in any order", async () => {
  const first = await writeLayer(tree, join(folder, "first"));
  utimesSync(source, 1, 1);
  const reversed = Object.fromEntries(Object.entries(tree).reverse());
  const second = await writeLayer(reversed, join(folder, "second"));
  expect(second.digest).toBe(first.digest);
  expect(readFileSync(second.content).equals(readFileSync(first.content))).toBe(true);
});

test("writeLayer() sorts, adds parent directories, and sets root as the owner", async () => {
  const layer = await writeLayer(tree, join(folder, "layer"));
  const entries = await read(layer.content as string);
  expect(entries.map(({ name, type, mode }) => `${type} ${mode?.toString(8)} ${name}`)).toEqual([
    "directory 755 etc",
    "file 644 etc/motd",
    "file 644 etc/tool.conf",
    "directory 1777 tmp",
    "directory 755 usr",
    "directory 755 usr/bin",
    "symlink 777 usr/bin/alias",
    "file 755 usr/bin/tool",
  ]);
  expect(new Set(entries.map(({ uid, gid, mtime }) => `${uid}:${gid} ${mtime?.getTime()}`))).toEqual(
    new Set(["0:0 0"]),
  );
});

test("writeArchive() writes an image layout in which every digest matches its content", async () => {
  const layer = await writeLayer(tree, join(folder, "layer"));
  const names = ["docker.io/library/one:latest", "registry.k8s.io/two:v1"];
  const digest = await writeArchive(join(folder, "image.tar"), names, { entrypoint: ["/usr/bin/tool"] }, [layer]);
  const entries = await read(join(folder, "image.tar"));
  for (const { name, content } of entries.filter(({ name }) => name.startsWith("blobs/"))) {
    expect(`blobs/sha256/${createHash("sha256").update(content).digest("hex")}`).toBe(name);
  }
  const blob = (wanted: string) => parsed(entries.find(({ name }) => name === `blobs/${wanted.replace(":", "/")}`));
  const index = parsed(entries.find(({ name }) => name === "index.json"));
  expect(index.manifests.map((manifest: Manifest) => manifest.annotations["io.containerd.image.name"])).toEqual(names);
  expect(index.manifests.map((manifest: Manifest) => manifest.digest)).toEqual([digest, digest]);
  const manifest = blob(digest);
  expect(manifest.layers[0].digest).toBe(layer.digest);
  expect(blob(manifest.config.digest).rootfs.diff_ids).toEqual([layer.digest]);
  // What `docker load` and `podman load` read: one image with both names.
  const [one, ...others] = parsed(entries.find(({ name }) => name === "manifest.json"));
  expect(others).toEqual([]);
  expect(one).toEqual({
    Config: `blobs/${manifest.config.digest.replace(":", "/")}`,
    RepoTags: names,
    Layers: [`blobs/${layer.digest.replace(":", "/")}`],
  });
});

test("writeArchive() changes the digest when a layer changes, but not when the names change", async () => {
  const write = async (names: string[], layer: Blob) => writeArchive(join(folder, "digest.tar"), names, {}, [layer]);
  const layer = await writeLayer(tree, join(folder, "layer"));
  const other = await writeLayer({ ...tree, "/etc/motd": text("bye\n") }, join(folder, "other"));
  const digest = await write(["a:1"], layer);
  expect(await write(["b:1"], layer)).toBe(digest);
  expect(await write(["a:1"], other)).not.toBe(digest);
});

interface Manifest {
  digest: string;
  annotations: Record<string, string>;
}

const parsed = (entry: { content: Buffer } | undefined) => JSON.parse(String(entry?.content));

async function read(file: string) {
  const entries = [];
  for await (const entry of createReadStream(file).pipe(extract())) {
    entries.push({ ...entry.header, content: await buffer(entry) });
  }
  return entries;
}
