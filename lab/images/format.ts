import { printable } from "../../model/printable.ts";
import { type Archive, refusal } from "./archive.ts";

/** The processor and the system that an image is for, as images call them. */
export interface Platform {
  os: string;
  architecture: string;
}

/** An image of an archive. */
export interface ArchivedImage<Entry = unknown> {
  /** The names in the archive: complete names, or partial ones, or none. */
  names: string[];
  /** Equal for the same content. */
  id: string;
  /** Files that it consists of. */
  files: string[];
  /** The entry for this image in the archive's list of images. */
  entry: Entry;
}

/** A format of image archives. */
export interface Format<Entry> {
  /** The images for a platform. @throws LabFailure if an image is not for that platform */
  read(archive: Archive, platform: Platform): Promise<ArchivedImage<Entry>[]>;
  /** Files of an archive that list these images, by name. */
  describe(images: ArchivedImage<Entry>[]): Record<string, unknown>;
}

export const isFor = (wanted: Platform, { os, architecture }: Platform): boolean =>
  os === wanted.os && architecture === wanted.architecture;

const inWords = ({ os, architecture }: Platform): string => `${os}/${architecture}`;

/** @throws LabFailure that says which platforms an image is for. */
export function refuseForeign(path: string, wanted: Platform, found: Platform[]): never {
  // Attestations of a build are for "unknown".
  const platforms = new Set(found.map(inWords).filter((platform) => platform !== "unknown/unknown"));
  throw refusal(
    `${path} has an image for ${printable([...platforms].slice(0, 10).join(", ")) || "no platform"}, but the lab's nodes are ${inWords(wanted)}`,
    `build it for the nodes, such as with 'docker build --platform ${inWords(wanted)}'`,
  );
}
