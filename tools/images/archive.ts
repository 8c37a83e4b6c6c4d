// Writes an image as one file that container runtimes import: an OCI image layout in a tar, with the list that `podman load` and `docker load`
// read, because an image of two names is two images to them in a layout.
//   https://github.com/opencontainers/image-spec/blob/main/image-layout.md
//   https://github.com/opencontainers/image-spec/blob/main/config.md
//   https://github.com/moby/docker-image-spec/blob/main/spec.md
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { type Blob, EPOCH, type FileHeader } from "./layer.ts";
import { thisProcessor } from "./processor.ts";

export interface ImageConfig {
  entrypoint?: string[];
  command?: string[];
  /** `NAME=value`. */
  env?: string[];
  stopSignal?: string;
  /** Processor, in the notation of images; default: this computer's. */
  architecture?: string;
}

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * @param names full names, by which a runtime looks them up: `registry/repository:tag`
 * @returns the digest of the image's manifest, which identifies all of its content
 */
export async function writeArchive(
  file: string,
  names: string[],
  config: ImageConfig,
  layers: Blob[],
): Promise<string> {
  const configuration = json({
    architecture: config.architecture ?? thisProcessor().name,
    os: "linux",
    config: {
      Env: [PATH, ...(config.env ?? [])],
      Entrypoint: config.entrypoint,
      Cmd: config.command,
      StopSignal: config.stopSignal,
    },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.digest) },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", configuration),
    layers: layers.map((layer) => descriptor("application/vnd.oci.image.layer.v1.tar", layer)),
  });
  const index = json({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    // containerd uses this annotation as the name of an imported image.
    manifests: names.map((name) => ({
      ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
      annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.split(":").at(-1) },
    })),
  });
  const images = json([
    { Config: pathOf(configuration), RepoTags: names, Layers: layers.map((layer) => pathOf(layer)) },
  ]);
  await writeLayout(file, { "index.json": index, "manifest.json": images }, [configuration, manifest, ...layers]);
  return manifest.digest;
}

async function writeLayout(file: string, documents: Record<string, Blob>, blobs: Blob[]): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  await addBlob(tar, "oci-layout", json({ imageLayoutVersion: "1.0.0" }));
  for (const [name, document] of Object.entries(documents)) await addBlob(tar, name, document);
  for (const blob of blobs) await addBlob(tar, pathOf(blob), blob);
  tar.finalize();
  await written;
}

async function addBlob(tar: ReturnType<typeof pack>, name: string, blob: Blob): Promise<void> {
  const header: FileHeader = { name, size: blob.size, mode: 0o644, mtime: EPOCH };
  if (typeof blob.content === "string") await pipeline(createReadStream(blob.content), tar.entry(header));
  else {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    tar.entry(header, blob.content, (error) => (error ? reject(error) : resolve()));
    await promise;
  }
}

function json(value: unknown): Blob {
  const content = Buffer.from(JSON.stringify(value));
  return { content, size: content.length, digest: `sha256:${createHash("sha256").update(content).digest("hex")}` };
}

const pathOf = ({ digest }: Blob): string => `blobs/${digest.replace(":", "/")}`;

const descriptor = (mediaType: string, { digest, size }: Blob) => ({ mediaType, digest, size });
