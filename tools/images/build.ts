// Builds every image of the catalogue, and images.json, the list of images that a cluster imports.
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, keepNewest, removeAbandoned } from "../cache.ts";
import { claim, claimed } from "../claims.ts";
import { binaryPath, buildGoBinary } from "../go-binary.ts";
import { buildPause, coredns, kube, relinked } from "../programs.ts";
import { publishRelease, released } from "../releases.ts";
import { KUBERNETES } from "../versions.ts";
import { AGENT_BILL, agentImage, agentOfThisComputer } from "./agent.ts";
import { catalogue, controlPlane } from "./catalogue.ts";
import { agentForAnother } from "./foreign.ts";
import { type Image, type MadeImage, makeImage, sha256 } from "./image.ts";
import { type Processor, thisProcessor } from "./processor.ts";

const root = join(import.meta.dirname, "..", "..");

/** [{names, file, digest}], `file` an absolute path in the cache. Archives are shared, but the list belongs to this checkout,
 * so that checkouts of different versions can share a cache without changing each other's clusters. */
const listOfImages = join(root, "dist", "images.json");

/** @returns the images, and how many of them were rebuilt */
export async function buildImages(): Promise<{ images: MadeImage[]; rebuilt: string[] }> {
  const fingerprints = new Fingerprints(join(cacheFolder("images"), "fingerprints.json"));
  const images: MadeImage[] = [];
  const rebuilt: string[] = [];
  const ingredients = {
    kube: binaryPath(kube),
    coredns: binaryPath(coredns),
    pause: await buildPause(),
    node: process.execPath,
    root,
  };
  for (const image of catalogue(ingredients)) {
    const { made, fresh } = await makeImage(image, (file) => fingerprints.of(file));
    images.push(made);
    if (!fresh) rebuilt.push(image.file);
  }
  fingerprints.save();
  publishRelease(
    KUBERNETES,
    ingredients.kube,
    images.filter(isControlPlane).map(({ file }) => file),
  );
  claim(
    "images",
    images.map(({ file }) => file),
  );
  removeOld(images);
  mkdirSync(join(root, "dist"), { recursive: true });
  replace(listOfImages, images);
  return { images, rebuilt };
}

/**
 * Builds the agent's image if it is missing.
 * @throws Error if its inputs are not built, or the registries with programs for another processor are not reachable
 */
export async function buildAgentImage(processor: Processor): Promise<MadeImage> {
  const fingerprints = new Fingerprints(join(cacheFolder("images"), "fingerprints.json"));
  const isThis = processor === thisProcessor();
  const from = isThis ? agentOfThisComputer(root, process.execPath) : await agentForAnother(root, processor);
  const image = agentImage(from);
  if (!image) throw new Error("Cannot build the agent's image: the agent is not bundled. Next: make build.");
  const { made } = await makeImage(image, (file) => fingerprints.of(file));
  fingerprints.save();
  claim(`agent-image-${processor.name}`, [made.file]);
  removeOld([made]);
  writeBill(image, processor);
  return made;
}

/** Copies the bill of materials, which is also in the image, to the results, for the publisher of the image. */
function writeBill({ layers }: Image, { name }: Processor): void {
  const bill = layers.at(-1)?.[AGENT_BILL];
  if (bill?.kind !== "text") throw new Error(`The agent's image has no ${AGENT_BILL}.`);
  mkdirSync(join(root, "out"), { recursive: true });
  writeFileSync(join(root, "out", `agent-image-${name}.cdx.json`), bill.text);
}

const isControlPlane = ({ names }: MadeImage): boolean => names.some((name) => name.includes("/kube-apiserver:"));

/** Builds this release under another version number, where machines of a lab find it, as a target for upgrades. */
export async function buildRelinked(version: string): Promise<void> {
  const fingerprints = new Fingerprints(join(cacheFolder("images"), "fingerprints.json"));
  const binary = relinked(version);
  await buildGoBinary(binary);
  const image = { ...controlPlane(binaryPath(binary), version), file: "control-plane-relinked" };
  const { made } = await makeImage(image, (file) => fingerprints.of(file));
  fingerprints.save();
  publishRelease(version, binaryPath(binary), [made.file]);
  removeOld([made]);
}

/** How many archives of an image are kept besides those that checkouts use: for going back. */
const KEPT = 8;

/** Removes the archives whose last use is the longest ago. The agent's image changes often. */
function removeOld(current: MadeImage[]): void {
  const inUse = [...claimed(), ...released()].flatMap((file) => [file, `${file}.json`]);
  for (const { file } of current) {
    const stem = file.replace(/-[0-9a-f]+\.tar$/, "");
    // The note is removed first, because an archive without its note is ignored.
    for (const ending of [".tar.json", ".tar"]) {
      keepNewest(globSync(`${stem}-????????????${ending}`), KEPT, [...inUse, file, `${file}.json`]);
    }
  }
  removeAbandoned(globSync(join(cacheFolder("images"), "*.tar.[0-9]*")));
}

interface Fingerprint {
  /** Size, time of change and inode: a file that has all three unchanged has the same content. */
  state: string;
  sha256: string;
}

/** Content hashes by file, so that `make up` does not read half a gigabyte of binaries each time. */
class Fingerprints {
  readonly #file: string;
  readonly #known: Record<string, Fingerprint>;

  constructor(file: string) {
    this.#file = file;
    this.#known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Fingerprint>) : {};
  }

  of(file: string): string {
    const { size, ctimeMs, ino } = statSync(file);
    const state = `${size} ${ctimeMs} ${ino}`;
    const known = this.#known[file];
    if (known?.state === state) return known.sha256;
    const fingerprint = { state, sha256: sha256(file) };
    this.#known[file] = fingerprint;
    return fingerprint.sha256;
  }

  save(): void {
    for (const file of Object.keys(this.#known)) if (!existsSync(file)) delete this.#known[file];
    replace(this.#file, this.#known);
  }
}

function replace(file: string, content: unknown): void {
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(draft, file);
}
