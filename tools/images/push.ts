// `make image REGISTRY=...`: puts the agent's image into a registry, the one that local clusters run.
//
// skopeo (Debian has it) speaks to the registry and knows the user's `skopeo login`. What is pushed is for the processor of
// this computer; the tag says for which, and of which version of the package it is.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import { buildImages } from "./build.ts";

/**
 * @param registry host with its port, and a path: `images.example.com/team`
 * @param archive OCI archive of the agent's image
 * @returns the names it was given: with the version alone, which `Dataplane` asks for, and with the processor
 */
export async function pushImage(registry: string, archive: string, version: string): Promise<string[]> {
  requireRegistry(registry);
  requireSkopeo();
  const names = [version, `${version}-${process.arch}`].map((tag) => `${registry}/ebpf-dataplane:${tag}`);
  // A registry on this computer, as in tests, has no certificate.
  const plain = /^(localhost|127\.0\.0\.1)(:|\/|$)/.test(registry) ? ["--dest-tls-verify=false"] : [];
  for (const name of names) {
    const words = ["copy", "--quiet", ...plain, `oci-archive:${archive}:${version}`, `docker://${name}`];
    await run("skopeo", words, { cwd: "/", timeoutSeconds: 600 });
  }
  return names;
}

function requireRegistry(registry: string): void {
  if (/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/.test(registry)) return;
  const example = "make image REGISTRY=images.example.com/team";
  throw new Error(`REGISTRY is "${registry}", but must be a registry's host, with its path if it has one: ${example}`);
}

function requireSkopeo(): void {
  if (!spawnSync("skopeo", ["--version"]).error) return;
  throw new Error("Cannot put the image into a registry without skopeo. Next: apt-get install skopeo.");
}

async function main(registry = ""): Promise<void> {
  requireRegistry(registry);
  const root = join(import.meta.dirname, "..", "..");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const { images } = await buildImages();
  const agent = images.find(({ names }) => names.some((name) => name.endsWith(`/ebpf-dataplane:${version}`)));
  if (!agent) throw new Error("Cannot push the agent's image: it was not made. Next: make build.");
  const names = await pushImage(registry, agent.file, version);
  process.stdout.write(`${names.join("\n")}\n`);
  process.stderr.write(`Next: imageRegistry: "${registry}" in the arguments of Dataplane.\n`);
}

if (import.meta.main) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}
