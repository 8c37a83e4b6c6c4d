import type { Archive } from "./archive.ts";
import { json, type Piece } from "./pieces.ts";
import { scrubbed } from "./redact.ts";

/** What was collected, and what was not: `manifest.json` in the archive. */
export interface Manifest {
  readonly writtenAt: string;
  /** Of this package. */
  readonly version: string;
  /** Address of the API server. */
  readonly cluster: string;
  readonly collected: { readonly path: string; readonly characters: number }[];
  readonly missing: { readonly path: string; readonly why: string }[];
  /** What is never collected. */
  readonly leftOut: readonly string[];
}

const LEFT_OUT_OF_ALL = [
  "Secrets, ConfigMaps and ServiceAccounts: they are not read",
  "the kubeconfig: of it only the server's address",
  "values of environment variables, arguments and volumes of pods; pods of others",
  "fields named after passwords, secrets, tokens and credentials, and annotations of others",
  "what looks like a token, a private key or a password in a text",
  "tracked connections and flow logs: who talks to whom",
];

/** This is no fault: few clusters have every kind, or use BGP. */
export const HAS_NONE = "the cluster has none";

/** Parts that are read at the same time. */
const AT_ONCE = 8;

/** Fills an archive. A part that cannot be read is named in the manifest, and does not stop the others. */
export async function collect(
  pieces: readonly Piece[],
  archive: Pick<Archive, "add">,
  about: Pick<Manifest, "version" | "cluster" | "writtenAt">,
  known: readonly string[],
): Promise<Manifest> {
  const manifest: Manifest = { ...about, collected: [], missing: [], leftOut: LEFT_OUT_OF_ALL };
  for (let at = 0; at < pieces.length; at += AT_ONCE) {
    const part = pieces.slice(at, at + AT_ONCE);
    const texts = await Promise.allSettled(part.map(({ read }) => read()));
    for (const [index, { path }] of part.entries()) {
      const read = texts[index];
      if (read?.status === "fulfilled" && read.value !== undefined) {
        const text = scrubbed(read.value, known);
        await archive.add(path, text);
        manifest.collected.push({ path, characters: text.length });
      } else manifest.missing.push({ path, why: scrubbed(whyNot(read), known) });
    }
  }
  await archive.add("manifest.json", scrubbed(json(manifest), known));
  return manifest;
}

function whyNot(read: PromiseSettledResult<unknown> | undefined): string {
  return read?.status === "rejected" ? (read.reason as Error).message : HAS_NONE;
}
