// Chooses the images of an archive that a lab gets, and their names.
import { printable } from "../../model/printable.ts";
import { type Archive, openArchive, refusal } from "./archive.ts";
import { docker } from "./docker.ts";
import type { ArchivedImage, Format, Platform } from "./format.ts";
import { oci } from "./oci.ts";
import { fullName, repositoryOf, shortName } from "./reference.ts";

/** What to copy from an archive. */
export interface Chosen {
  archive: Archive;
  /** Full names by which pods can use the images. */
  names: string[];
  /** Files of the copy that list its images, by name. They replace the archive's own lists, so that containerd sees exactly what was
   * checked here. */
  documents: Record<string, unknown>;
  /** Files of the archive that the copy needs. */
  files: string[];
}

/** Names that no image of the user may have. */
export interface Reserved {
  /** The cluster's own images. */
  names: string[];
  /** Images of the cluster whose tags differ between releases. */
  repositories: string[];
}

/** Node's names of processors, as images call them. */
const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64" };

/** The platform of a lab's nodes, which are namespaces of this computer. */
export const thisPlatform = (): Platform => ({
  os: "linux",
  architecture: ARCHITECTURES[process.arch] ?? process.arch,
});

/**
 * Reads an archive of images.
 * @param tag name of the only image, in place of its own
 * @throws LabFailure if the lab cannot have one of them
 */
export async function chooseImages(path: string, tag: string | undefined, reserved: Reserved): Promise<Chosen> {
  const archive = await openArchive(path);
  if (archive.entries.has("oci-layout")) return choose(oci, archive, tag, reserved);
  if (archive.entries.has("manifest.json")) return choose(docker, archive, tag, reserved);
  throw refusal(`${path} is no image archive: it has neither oci-layout nor manifest.json`);
}

async function choose<Entry>(
  format: Format<Entry>,
  archive: Archive,
  tag: string | undefined,
  reserved: Reserved,
): Promise<Chosen> {
  const { path } = archive;
  const found = await format.read(archive, thisPlatform());
  const images = tag === undefined ? withNames(path, found) : [tagged(path, found, tag)];
  const names = [...new Set(images.flatMap((image) => image.names))];
  for (const name of names) refuseReserved(path, name, reserved);
  const files = [...new Set(images.flatMap((image) => image.files))];
  return { archive, names, documents: format.describe(images), files };
}

function withNames<Entry>(path: string, found: ArchivedImage<Entry>[]): ArchivedImage<Entry>[] {
  const named = found.filter(({ names }) => names.length > 0);
  if (named.length === 0)
    throw refusal(
      found.length === 0 ? `${path} has no image` : `${path} has an image without a name and tag`,
      found.length === 0 ? undefined : "give it one with --tag shop:1 (make: TAG=shop:1), or save it by its name",
    );
  return named.map((image) => ({ ...image, names: image.names.map((name) => nameOf(path, name)) }));
}

function nameOf(path: string, name: string): string {
  const full = fullName(name);
  if (full) return full;
  throw refusal(
    `${path} has an image '${printable(name.slice(0, 300))}', which is no name with a tag, such as team/shop:1`,
    "give it one with --tag shop:1 (make: TAG=shop:1)",
  );
}

function tagged<Entry>(path: string, found: ArchivedImage<Entry>[], tag: string): ArchivedImage<Entry> {
  const full = fullName(tag);
  if (!full) throw refusal(`the tag is '${printable(tag)}', but must be a name with a tag`, "such as team/shop:1");
  const [first, ...others] = found;
  if (!first) throw refusal(`${path} has no image`);
  if (others.some(({ id }) => id !== first.id))
    throw refusal(
      `${path} has ${new Set(found.map(({ id }) => id)).size} images, and --tag is the name of one`,
      "leave the tag out, or save one image",
    );
  return { ...first, names: [full] };
}

function refuseReserved(path: string, name: string, { names, repositories }: Reserved): void {
  if (names.includes(name) || repositories.includes(repositoryOf(name)))
    throw refusal(
      `${path} has an image '${shortName(name)}', which is the name of one of the lab's own images`,
      "give it another one with --tag shop:1 (make: TAG=shop:1)",
    );
}
