// The user's images of a lab, as `lab images` shows them.
import { statSync } from "node:fs";
import { shortName } from "../images/reference.ts";
import { firstProcess } from "../machines/machine.ts";
import type { Image } from "./images.ts";
import { imagesOn } from "./node-images.ts";
import { nodesOf, ownImages } from "./own-images.ts";
import { readState } from "./state.ts";

export interface ListedImage {
  /** The name that pods use. */
  image: string;
  /** Size of the lab's copy, which the images of one archive share. */
  bytes: number;
  digest: string;
  /** Nodes that have the image, nodes that lost it, and nodes that are stopped. */
  nodes: string[];
  missing: string[];
  stopped: string[];
}

/** Each name once, with the latest archive that contains it. */
export function byName(images: readonly Image[]): [name: string, image: Image][] {
  const latest = new Map(images.flatMap((image) => image.names.map((name) => [name, image] as const)));
  return [...latest].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** @throws LabFailure if there is no such lab */
export async function listImages(lab: string): Promise<ListedImage[]> {
  const nodes = nodesOf(lab, readState(lab));
  const found = await Promise.all(
    nodes.map(async (node) => {
      const has = firstProcess(lab, node) && new Set((await imagesOn(lab, node)).map(({ name }) => name));
      return [node, has] as const;
    }),
  );
  return byName(ownImages(lab)).map(([name, { file, digest }]) => {
    const where = (is: (has: Set<string> | undefined) => boolean | undefined) =>
      found.filter(([, has]) => is(has)).map(([node]) => node);
    return {
      ...{ image: shortName(name), digest, bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0 },
      nodes: where((has) => has?.has(name)),
      missing: where((has) => has && !has.has(name)),
      stopped: where((has) => has === undefined),
    };
  });
}

/** One line for each image, for people, with the commands that apply. */
export function imagesInWords(lab: string, images: readonly ListedImage[]): string {
  const make = lab === "local" ? "make" : `EBPF_DATAPLANE_LAB=${lab} make`;
  if (images.length === 0)
    return `Lab ${lab} has no images of yours. '${make} lab-image IMAGE=shop.tar' loads some (docker save).\n`;
  const width = Math.max(...images.map(({ image }) => image.length));
  const lines = images.map((one) => `  ${one.image.padEnd(width)}  ${mebibytes(one.bytes)}  ${places(one)}\n`);
  const isLost = images.some(({ missing }) => missing.length > 0);
  const again = isLost ? `A node without its image is given it by '${make} lab-image' again.\n` : "";
  return `Your images of lab ${lab}:\n${lines.join("")}${again}Remove one: ${make} lab-images REMOVE=${images[0]?.image}\n`;
}

function places({ nodes, missing, stopped }: ListedImage): string {
  return [
    ...(nodes.length > 0 ? [`on ${nodes.join(", ")}`] : []),
    ...(missing.length > 0 ? [`MISSING on ${missing.join(", ")}`] : []),
    ...(stopped.length > 0 ? [`${stopped.join(", ")} ${stopped.length > 1 ? "are" : "is"} stopped`] : []),
  ].join("; ");
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`.padStart(11);
