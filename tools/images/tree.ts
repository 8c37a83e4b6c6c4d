// The content of an image layer, as data: from paths in the image to files of this computer, texts, links and directories.
import { posix } from "node:path";

export type Entry =
  | { kind: "file"; source: string; executable: boolean }
  | { kind: "text"; text: string }
  | { kind: "link"; target: string }
  | { kind: "directory"; mode: number };

/** From absolute path in the image to its content. Parent directories are added when the layer is written. */
export type Tree = Record<string, Entry>;

export const program = (source: string): Entry => ({ kind: "file", source, executable: true });
export const data = (source: string): Entry => ({ kind: "file", source, executable: false });
export const text = (content: string): Entry => ({ kind: "text", text: content });
export const link = (target: string): Entry => ({ kind: "link", target });
export const directory = (mode = 0o755): Entry => ({ kind: "directory", mode });

/** Directories that are links since /usr was merged (file-hierarchy(7)); images have the same layout. */
export const MERGED = ["bin", "lib", "lib32", "lib64", "sbin"];

/** The links themselves, for the first layer of an image with programs in it. */
export const mergedUsr: Tree = Object.fromEntries(
  MERGED.flatMap((name) => [
    [`/${name}`, link(`usr/${name}`)],
    [`/usr/${name}`, directory()],
  ]),
);

/** `/lib/x` and `/usr/lib/x` are one file: the name under which a layer stores it. */
export function canonical(path: string): string {
  const clean = posix.resolve("/", path);
  const first = clean.split("/")[1] ?? "";
  return MERGED.includes(first) && clean !== `/${first}` ? `/usr${clean}` : clean;
}

/** Merges trees under canonical names; later ones take precedence. */
export function merge(...trees: Tree[]): Tree {
  return Object.fromEntries(
    trees.flatMap((tree) => Object.entries(tree).map(([path, entry]) => [canonical(path), entry])),
  );
}
