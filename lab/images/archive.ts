// Reads files of a tar by name, without unpacking it. The archive may come from anywhere: the amount that is read into memory is bounded,
// and no path of the archive is written to.
import { createReadStream, statSync } from "node:fs";
import { posix } from "node:path";
import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import type { z } from "zod";
import { printable } from "../../model/printable.ts";
import { LabFailure } from "../failure.ts";

/** An image has at most 127 layers; archives of many images share them. */
const MOST_ENTRIES = 10_000;
const LARGEST_DOCUMENT = 4 * 2 ** 20;
/** Size of the header before each file of a tar. */
const HEADER_BYTES = 512;

/** First bytes of compressed files, and the program that unpacks each kind. */
const COMPRESSED = { "1f8b": "gunzip", "28b52ffd": "unzstd", fd377a58: "unxz", "425a68": "bunzip2" };

const HOW = "make one with 'docker save --output shop.tar shop:1', or 'podman save' or 'skopeo copy'";

/** The error for wrong input. */
export const refusal = (message: string, next = HOW): LabFailure => new LabFailure(message, { next, exitCode: 2 });

interface Place {
  start: number;
  size: number;
}

export interface Archive {
  /** The path as the user wrote it. */
  path: string;
  /** Files, and links to them, by name. */
  entries: ReadonlyMap<string, Place>;
}

/** Finds what is in an archive. @throws LabFailure if it is none. */
export async function openArchive(path: string): Promise<Archive> {
  await requireTar(path);
  const entries = new Map<string, Place>();
  const links = new Map<string, string>();
  const tar = extract();
  const fed = pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), tar);
  fed.catch(() => {}); // the loop has the same error
  try {
    for await (const entry of tar) {
      const { type, linkname, size } = entry.header;
      const name = posix.normalize(entry.header.name);
      if (entries.has(name) || links.has(name)) throw refusal(`${path} has two files '${printable(name)}'`);
      if (entries.size + links.size >= MOST_ENTRIES) throw refusal(`${path} has more than ${MOST_ENTRIES} files`);
      if (type === "file") entries.set(name, { start: entry.offset + HEADER_BYTES, size });
      // Older versions of Docker write a layer that two images share once.
      if (type === "symlink") links.set(name, posix.join(posix.dirname(name), linkname));
      entry.resume();
    }
    await fed;
  } catch (error) {
    if (error instanceof LabFailure || (error instanceof Error && "syscall" in error)) throw error;
    const isCut = (error as Error).message === "Unexpected end of data";
    throw refusal(`${path} is no image archive: it ${isCut ? "is cut off" : "is no tar"}`);
  }
  for (const [name, target] of links) {
    const place = entries.get(target);
    if (place) entries.set(name, place);
  }
  return { path, entries };
}

async function requireTar(path: string): Promise<void> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw refusal(`there is no file ${path}`);
  if (found.isDirectory()) throw refusal(`${path} is a folder, not an image archive`, `tar -C ${path} -cf image.tar .`);
  if (!found.isFile()) throw refusal(`${path} is no image archive: it is no file`);
  const first = (await buffer(createReadStream(path, { end: 3 }))).toString("hex");
  const [, program] = Object.entries(COMPRESSED).find(([magic]) => first.startsWith(magic)) ?? [];
  if (program) throw refusal(`${path} is compressed`, `unpack it first: ${program} --keep ${path}`);
}

/** A JSON document of the archive. @throws LabFailure if it is missing, too large or not of that form. */
export async function readAs<T>(form: z.ZodType<T>, archive: Archive, name: string): Promise<T> {
  const { size } = placeOf(archive, name);
  if (size > LARGEST_DOCUMENT)
    throw refusal(`${archive.path}: ${printable(name)} has ${size} bytes, more than ${LARGEST_DOCUMENT}`);
  const parsed = form.safeParse(asJson(await text(streamOf(archive, name))));
  if (parsed.success) return parsed.data;
  const { path = [], message = "" } = parsed.error.issues[0] ?? {};
  const place = [printable(name), ...path.map((key) => printable(String(key)))].join(" › ");
  throw refusal(`${archive.path} is no image archive: ${place}: ${message}`);
}

function asJson(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return undefined;
  }
}

/** The bytes of a file of the archive. */
export function streamOf(archive: Archive, name: string): Readable {
  const { start, size } = placeOf(archive, name);
  return size === 0 ? Readable.from([]) : createReadStream(archive.path, { start, end: start + size - 1 });
}

/** @throws LabFailure if the archive has no such file. */
export function placeOf({ path, entries }: Archive, name: string): Place {
  const place = entries.get(name);
  if (!place) throw refusal(`${path} is incomplete: it has no ${printable(name)}`);
  return place;
}
