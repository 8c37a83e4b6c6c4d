// Archives of images, as programs write them, and malformed ones.
import { createHash } from "node:crypto";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type Header, pack } from "tar-stream";
import { afterAll } from "vitest";
import { chooseImages, thisPlatform } from "./choose.ts";

let folder = "";

/** Gives a test file a folder for its archives, which is removed after its tests. Several files may share this module. */
export function archiveFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "own-images-"));
  afterAll(() => rmSync(made, { recursive: true }));
  folder = made;
  return made;
}

const RESERVED = {
  names: ["docker.io/library/nginx:latest", "docker.io/library/ebpf-dataplane:local"],
  repositories: ["docker.io/library/ebpf-dataplane"],
};
export const chosen = (path: string, tag?: string) => chooseImages(path, tag, RESERVED);

export type Files = [name: string, content: unknown, header?: Partial<Header>][];
let count = 0;

export async function archive(files: Files): Promise<string> {
  const path = join(folder, `${++count}.tar`);
  const tar = pack();
  for (const [name, content, header] of files)
    tar.entry({ name, ...header }, typeof content === "string" ? content : JSON.stringify(content));
  tar.finalize();
  await pipeline(tar, createWriteStream(path));
  return path;
}

export const here = thisPlatform();
export const foreign = { os: "linux", architecture: here.architecture === "arm64" ? "amd64" : "arm64" };

/** An image's blobs, and its descriptor. */
export function image(platform = here, layer = "a layer") {
  const blobs: Files = [];
  const add = (mediaType: string, content: unknown) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    const hex = createHash("sha256").update(text).digest("hex");
    blobs.push([`blobs/sha256/${hex}`, text]);
    return { mediaType, digest: `sha256:${hex}`, size: text.length };
  };
  const layers = [add("application/vnd.oci.image.layer.v1.tar", layer)];
  const config = add("application/vnd.oci.image.config.v1+json", { ...platform, rootfs: {} });
  const top = add("application/vnd.oci.image.manifest.v1+json", { schemaVersion: 2, config, layers });
  return { blobs, top, add };
}

const NAME = "io.containerd.image.name";
export const REF = "org.opencontainers.image.ref.name";
export const named = (name: string, key = NAME) => ({ annotations: { [key]: name } });
export const LAYOUT: Files[number] = ["oci-layout", { imageLayoutVersion: "1.0.0" }];
export const layout = (manifests: unknown[], ...blobs: Files[]): Files => [
  LAYOUT,
  ["index.json", { schemaVersion: 2, manifests }],
  ...new Map(blobs.flat().map((file) => [file[0], file])).values(),
];
export const { blobs, top } = image();
export const shop = (name = "shop:1", key = NAME): Files => layout([{ ...top, ...named(name, key) }], blobs);
