import { createHash } from "node:crypto";
import { z } from "zod";
import { type KindName, kindNames } from "../../model/objects/kinds.ts";

// A policy's last good version outlives the agent, for as long as exactly that version which cannot be read is there: of another one nobody
// knows what was in between, and the last good version may be more open than that.

/** The kinds of which versions are kept. Their meaning is in their specs, whose generation counts the changes. */
export const KEPT_KINDS: ReadonlySet<KindName> = new Set([
  "networkPolicies",
  "calicoNetworkPolicies",
  "globalNetworkPolicies",
  "clusterNetworkPolicies",
]);

/** An object's version that cannot be read. */
const unreadableVersion = z.strictObject({
  namespace: z.string().optional(),
  name: z.string(),
  uid: z.string().min(1),
  generation: z.int().min(1),
  /** Of its spec. */
  digest: z.string(),
});
type UnreadableVersion = z.infer<typeof unreadableVersion>;

/** The good version before it, as JSON. */
export const keptVersion = z.strictObject({
  kind: z.enum(kindNames as [KindName, ...KindName[]]),
  unreadable: unreadableVersion,
  good: z.string(),
});
export type KeptVersion = z.infer<typeof keptVersion>;

const written = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().nullish(),
    uid: z.string().min(1),
    generation: z.int().min(1),
  }),
  spec: z.unknown(),
});

/** undefined: the object says too little of its version to tell it from others. */
export function unreadableVersionOf(object: unknown): UnreadableVersion | undefined {
  const read = written.safeParse(object).data;
  if (!read) return undefined;
  const { name, namespace, uid, generation } = read.metadata;
  const digest = createHash("sha256")
    .update(JSON.stringify(read.spec ?? null))
    .digest("base64");
  return { ...(namespace && { namespace }), name, uid, generation, digest };
}

/** Larger versions are not kept: characters. */
const MOST_CHARACTERS = 64 * 1024;

/** A good version as it is kept; undefined: it is too large, or says too little of itself. */
export function goodText(object: unknown): string | undefined {
  const read = written.safeParse(object).data;
  if (!read) return undefined;
  const text = JSON.stringify({ metadata: read.metadata, spec: read.spec });
  return text.length > MOST_CHARACTERS ? undefined : text;
}

/** What a kept version says; undefined: its text is damaged. */
export function goodObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The good version that was kept for exactly this one; undefined: there is none. */
export function keptFor(kept: readonly KeptVersion[], kind: KindName, object: unknown): string | undefined {
  if (kept.length === 0) return undefined;
  const asked = unreadableVersionOf(object);
  if (!asked) return undefined;
  return kept.find(({ kind: of, unreadable }) => of === kind && textOf(unreadable) === textOf(asked))?.good;
}

function textOf({ namespace, name, uid, generation, digest }: UnreadableVersion): string {
  return JSON.stringify([namespace, name, uid, generation, digest]);
}

/** Room for each namespace, and for what belongs to none, so that no owner takes the others': characters. */
const ROOM = { namespace: 128 * 1024, cluster: 1024 * 1024, all: 8 * 1024 * 1024 };

/** As many as there is room for. */
export function withinRoom(versions: readonly KeptVersion[]): readonly KeptVersion[] {
  const used = new Map<string, number>();
  let all = 0;
  return versions
    .toSorted((a, b) => Number(a.unreadable.namespace !== undefined) - Number(b.unreadable.namespace !== undefined))
    .filter(({ unreadable: { namespace }, good }) => {
      const own = (used.get(namespace ?? "") ?? 0) + good.length;
      if (own > (namespace === undefined ? ROOM.cluster : ROOM.namespace) || all + good.length > ROOM.all) return false;
      used.set(namespace ?? "", own);
      all += good.length;
      return true;
    });
}
