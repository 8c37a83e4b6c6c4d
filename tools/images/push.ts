// `make image REGISTRY=... [PLATFORM=linux/amd64,linux/arm64]`: pushes the agent's image to a registry. The image for this computer's processor
// is the one that local clusters run.
//
// skopeo (a Debian package) accesses the registry with the user's `skopeo login`. The tag is the version of the package; there
// is an additional tag for each processor.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../command.ts";
import { buildAgentImage } from "./build.ts";
import { type ProcessorImage, writeIndex } from "./multi-platform.ts";
import { processorsOf } from "./processor.ts";

/**
 * @param registry host with its port, and a path: `images.example.com/team`
 * @returns the names of the image: one for each processor, and one with only the version, which `Dataplane` uses
 */
export async function pushImage(registry: string, images: ProcessorImage[], version: string): Promise<string[]> {
  requireRegistry(registry);
  requireSkopeo();
  const name = (tag: string) => `${registry}/ebpf-dataplane:${tag}`;
  // A registry on this computer (in tests) has no certificate.
  const plain = /^(localhost|127\.0\.0\.1)(:|\/|$)/.test(registry) ? ["--dest-tls-verify=false"] : [];
  const copy = (source: string, tag: string) =>
    run("skopeo", ["copy", "--quiet", "--all", ...plain, source, `docker://${name(tag)}`], {
      cwd: "/",
      timeoutSeconds: 600,
    });
  for (const { processor, file } of images)
    await copy(`oci-archive:${file}:${version}`, `${version}-${processor.name}`);
  const layout = mkdtempSync(join(tmpdir(), "index-"));
  try {
    await writeIndex(layout, images, version);
    await copy(`oci:${layout}:${version}`, version);
  } finally {
    rmSync(layout, { recursive: true });
  }
  return [...images.map(({ processor }) => name(`${version}-${processor.name}`)), name(version)];
}

function requireRegistry(registry: string): void {
  if (/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/.test(registry)) return;
  const example = "make image REGISTRY=images.example.com/team";
  throw new Error(`REGISTRY is "${registry}", but must be a registry's host, optionally with a path: ${example}`);
}

function requireSkopeo(): void {
  if (!spawnSync("skopeo", ["--version"]).error) return;
  throw new Error("Cannot push the image without skopeo. Next: apt-get install skopeo.");
}

async function main(registry = "", platforms = ""): Promise<void> {
  requireRegistry(registry);
  const processors = processorsOf(platforms);
  requireSkopeo();
  const root = join(import.meta.dirname, "..", "..");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const images: ProcessorImage[] = [];
  for (const processor of processors) images.push({ processor, file: (await buildAgentImage(processor)).file });
  const names = await pushImage(registry, images, version);
  process.stdout.write(`${names.join("\n")}\n`);
  process.stderr.write(`Next: imageRegistry: "${registry}" in the arguments of Dataplane.\n`);
}

if (import.meta.main) {
  try {
    await main(...process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}
