// The user's images in a lab: every node has them, and nodes that join later get them too.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabFailure } from "../failure.ts";
import { type Chosen, chooseImages } from "../images/choose.ts";
import { copyImages } from "../images/copy.ts";
import { repositoryOf, shortName } from "../images/reference.ts";
import { firstProcess } from "../machines/machine.ts";
import { ownImagesFolder } from "../names.ts";
import type { Progress } from "../progress.ts";
import { isNode } from "./description.ts";
import { builtImages, type Image, importImage } from "./images.ts";
import { CLOUD, type ClusterState, readState } from "./state.ts";

const recordOf = (lab: string): string => join(ownImagesFolder(lab), "images.json");

/** The user's images of a lab. The latest archive is last; its names replace the same names of earlier archives. */
export function ownImages(lab: string): Image[] {
  const record = recordOf(lab);
  if (!existsSync(record)) return [];
  try {
    return JSON.parse(readFileSync(record, "utf8")) as Image[];
  } catch (error) {
    throw new LabFailure(`the record of your images, ${record}, cannot be read: ${(error as Error).message}`, {
      next: `remove ${record}, and load the images again with 'make lab-image'`,
    });
  }
}

const makeUp = (lab: string): string => (lab === "local" ? "make up" : `EBPF_DATAPLANE_LAB=${lab} make up`);

/** The nodes of a lab. @throws LabFailure if the lab has no nodes that can have images of the user */
export function nodesOf(lab: string, state: ClusterState | undefined): string[] {
  if (!state) throw new LabFailure(`there is no lab ${lab}`, { next: makeUp(lab) });
  if (state.spec.kubernetesVersion === CLOUD)
    throw new LabFailure(`lab ${lab} is a part of AWS, whose instances get images from files of their own`, {
      next: "load images into a local cluster: make up",
    });
  return state.spec.machines.filter(isNode).map(({ name }) => name);
}

/** The nodes of a lab, all of which must be running.
 * @param runs whether a machine is running
 * @throws LabFailure if images cannot be loaded on them */
export function nodesToLoad(
  lab: string,
  state: ClusterState | undefined,
  runs: (machine: string) => boolean,
): string[] {
  const nodes = nodesOf(lab, state);
  const dead = nodes.filter((name) => !runs(name));
  if (dead.length > 0)
    throw new LabFailure(`lab ${lab} does not run: ${dead.join(", ")} ${dead.length > 1 ? "are" : "is"} stopped`, {
      next: `boot it: ${makeUp(lab)}`,
    });
  return nodes;
}

/** The sample's server. Users may replace it with another version. */
const SAMPLE = "docker.io/library/nginx";

function reserved() {
  const names = builtImages().flatMap((image) => image.names);
  return { names, repositories: names.map(repositoryOf).filter((repository) => repository !== SAMPLE) };
}

/**
 * Loads the images of an archive into every node of a lab.
 * @param tag name of the only image, in place of its own
 * @returns in words, by which names pods can use them
 */
export async function addImages(
  lab: string,
  archive: string,
  tag: string | undefined,
  progress: Progress,
): Promise<string> {
  const nodes = nodesToLoad(lab, readState(lab), (machine) => firstProcess(lab, machine) !== undefined);
  const chosen = await progress.phase(`read ${archive}`, () => chooseImages(archive, tag, reserved()));
  try {
    const image = await progress.phase("copy it to the lab", () => keepCopy(lab, chosen));
    const title = image.names.map(shortName).join(", ");
    for (const node of nodes) await progress.phase(`${node}: load ${title}`, () => importImage(lab, node, image));
    keepRecord(lab, withLatest(ownImages(lab), image));
  } finally {
    forgetUnrecorded(lab);
  }
  return inWords(chosen.names, nodes);
}

async function keepCopy(lab: string, chosen: Chosen): Promise<Image> {
  const folder = ownImagesFolder(lab);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, "new.tar");
  const digest = await copyImages(chosen, draft);
  const file = join(folder, `${digest.replace("sha256:", "")}.tar`);
  renameSync(draft, file);
  return { names: chosen.names, file, digest, own: true };
}

/** An earlier archive is useless once the new one has all of its names. */
export const withLatest = (earlier: Image[], latest: Image): Image[] => [
  ...earlier.filter(
    ({ digest, names }) => digest !== latest.digest && !names.every((name) => latest.names.includes(name)),
  ),
  latest,
];

/** Records the images that nodes get when they join later, and removes all others from the record. */
export function keepRecord(lab: string, images: readonly Image[]): void {
  const draft = `${recordOf(lab)}.new`;
  writeFileSync(draft, JSON.stringify(images, null, 2), { mode: 0o600 });
  renameSync(draft, recordOf(lab));
  forgetUnrecorded(lab);
}

/** Removes copies that no node needs: of images that others replaced, and of commands that failed or were killed. */
function forgetUnrecorded(lab: string): void {
  const folder = ownImagesFolder(lab);
  if (!existsSync(folder)) return;
  const needed = new Set([recordOf(lab), ...ownImages(lab).map(({ file }) => file)]);
  for (const file of readdirSync(folder).map((name) => join(folder, name))) if (!needed.has(file)) rmSync(file);
}

function inWords(names: string[], nodes: string[]): string {
  const lines = names.map((name) => `  image: ${shortName(name)}\n`);
  const latest = names.filter((name) => name.endsWith(":latest")).map(shortName);
  const policy = "imagePullPolicy: IfNotPresent or Never";
  const why = latest.length > 0 ? `; without it Kubernetes would pull ${latest.join(", ")}` : "";
  const loaded = `loaded into ${nodes.join(", ")}; nodes that join later get it, too`;
  return `${loaded}. A pod can use:\n${lines.join("")}with ${policy}${why}\n`;
}
