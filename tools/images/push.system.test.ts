// The agent's image goes into a real registry (Debian's docker-registry, on loopback) and is read back unchanged.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../probe/free-port.fixture.ts";
import { writeArchive } from "./archive.ts";
import { writeLayer } from "./layer.ts";
import type { ProcessorImage } from "./multi-platform.ts";
import { PROCESSORS, processorsOf } from "./processor.ts";
import { pushImage } from "./push.ts";
import { text } from "./tree.ts";

const missing = ["skopeo", "docker-registry"].find((program) => spawnSync(program, ["--version"]).error);
const folder = mkdtempSync(join(tmpdir(), "push-"));
let registry: ChildProcess | undefined;
let address = "";

beforeAll(async () => {
  if (missing) return;
  address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${join(folder, "storage")}\nhttp:\n  addr: ${address}\n`,
  );
  registry = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  for (let attempt = 0; attempt < 900; attempt++) {
    const answer = await fetch(`http://${address}/v2/`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`docker-registry does not answer on ${address}`);
});
afterAll(() => {
  registry?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("one name refers to the images of all processors, each identical to the one that was built", async ({ skip }) => {
  if (missing) return skip(`${missing} is not installed`);
  const images: (ProcessorImage & { layer: string })[] = [];
  for (const processor of PROCESSORS) {
    const file = join(folder, `${processor.name}.tar`);
    const layer = await writeLayer({ "/hello": text(processor.name) }, join(folder, "layer"));
    const names = ["docker.io/library/ebpf-dataplane:1.2.3", "docker.io/library/ebpf-dataplane:local"];
    await writeArchive(file, names, { entrypoint: ["/hello"], architecture: processor.name }, [layer]);
    images.push({ processor, file, layer: layer.digest });
  }

  const pushed = await pushImage(`${address}/team`, images, "1.2.3");
  expect(pushed).toEqual(["1.2.3-amd64", "1.2.3-arm64", "1.2.3"].map((tag) => `${address}/team/ebpf-dataplane:${tag}`));
  const repository = `http://${address}/v2/team/ebpf-dataplane`;
  const kinds = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
  const manifestOf = async (reference: string) =>
    json(await fetch(`${repository}/manifests/${reference}`, { headers: { accept: kinds.join(", ") } }));
  const index = await manifestOf("1.2.3");
  expect(index.manifests.map(({ platform }: { platform: object }) => platform)).toEqual([
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64" },
  ]);
  for (const [place, { processor, layer }] of images.entries()) {
    const manifest = await manifestOf(index.manifests[place].digest);
    expect(manifest).toEqual(await manifestOf(`1.2.3-${processor.name}`));
    // Layers are compressed for the transfer; the configuration refers to their content.
    const config = await json(await fetch(`${repository}/blobs/${manifest.config.digest}`));
    expect(config).toMatchObject({ architecture: processor.name, config: { Entrypoint: ["/hello"] } });
    expect(config.rootfs.diff_ids).toEqual([layer]);
  }
});

test("an invalid registry or platform is refused before anything is built", async () => {
  for (const registry of ["", "https://images.example.com", "Registry/Team"]) {
    await expect(pushImage(registry, [], "1.2.3")).rejects.toThrow(/REGISTRY is ".*", but must be a registry's host/);
  }
  expect(() => processorsOf("linux/amd64,linux/mips")).toThrow(
    'PLATFORM has "linux/mips", but must be a comma-separated list of: linux/amd64, linux/arm64.',
  );
});

// biome-ignore lint/suspicious/noExplicitAny: answers of a registry, of which the test reads a few fields
const json = async (answer: Response): Promise<any> => JSON.parse(await answer.text());
