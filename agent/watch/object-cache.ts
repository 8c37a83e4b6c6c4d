import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { issueWords } from "../../components/documents/issue-words.ts";
import { cut, fewOfEach } from "../../model/few-of-each.ts";
import { tellingGroup } from "../../model/objects/kinds.ts";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import type { Problem } from "../../model/problem.ts";
import type { Kind } from "./kinds.ts";
import { goodObject, goodText, type KeptVersion, unreadableVersionOf } from "./last-good.ts";

/** The reference by which an Event is shown with its object. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
}

/** Also what is allowed: a user reads it in an Event. */
const IN_WORDS = { error: issueWords };
/** What follows, that is done instead, has its place in an Event too. */
const LONGEST_ISSUE = 800;

const identified = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().nullish(), uid: z.string().nullish() }),
});

/** What is known of a kind's objects, by their names. */
class Content<T> {
  readonly objects = new Map<string, T>();
  readonly problems = new Map<string, readonly Problem[]>();
  /** Of objects that cannot be read; the others have their own names. */
  readonly references = new Map<string, ObjectReference>();
  /** Objects that stand for one of which no version could be read. */
  readonly substitutes = new Set<string>();
  /** Good versions as text, and for which version that cannot be read they are in force. */
  readonly kept = new Map<string, { readonly text: string; readonly unreadable?: KeptVersion["unreadable"] }>();
}

/** Where good versions come from that an earlier agent knew. */
export interface LastGood {
  /** Of exactly the version that cannot be read. */
  find(object: unknown): string | undefined;
}

/** A list that is being taken. */
export interface Listing {
  put(object: unknown): void;
  /** Objects that were not in the list are removed. Returns whether anything changed. */
  complete(): boolean;
}

/** The objects of one kind as last seen: only the fields in use, and for an invalid object its last valid
 * version. An object without changes in those fields keeps its identity (===). */
export class ObjectCache<T extends KubernetesObject> {
  readonly #kind: Kind<T>;
  readonly #lastGood: LastGood | undefined;
  #content = new Content<T>();
  #list: readonly T[] | undefined;
  #complete = false;

  /** @param lastGood absent: versions are not kept */
  constructor(kind: Kind<T>, lastGood?: LastGood) {
    this.#kind = kind;
    this.#lastGood = lastGood;
  }

  /** True once a complete list was seen. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The same array until something changes. */
  list(): readonly T[] {
    this.#list ??= [...this.#content.objects.values()];
    return this.#list;
  }

  problems(): readonly Problem[] {
    return [...this.#content.problems.values()].flat();
  }

  /** The good versions that are in force in place of others that cannot be read. */
  kept(): readonly Omit<KeptVersion, "kind">[] {
    return [...this.#content.kept.values()].flatMap(({ text, unreadable }) =>
      unreadable ? [{ unreadable, good: text }] : [],
    );
  }

  reference(namespace: string | undefined, name: string): ObjectReference | undefined {
    const id = idOf(namespace, name);
    const { objects, references } = this.#content;
    const known = objects.get(id);
    return references.get(id) ?? (known && this.#referenceTo(known.metadata));
  }

  /** Takes a complete list, object by object. Until it is complete nothing changes. */
  listing(): Listing {
    const next = new Content<T>();
    let changed = false;
    return {
      put: (object) => {
        changed = this.#take(object, next) !== "same" || changed;
      },
      complete: () => {
        const before = this.#content;
        changed ||= next.objects.size !== before.objects.size || next.problems.size !== before.problems.size;
        const first = !this.#complete;
        this.#complete = true;
        if (!changed) return first;
        this.#content = next;
        this.#list = undefined;
        return true;
      },
    };
  }

  put(object: unknown): boolean {
    const found = this.#take(object, this.#content);
    if (found === "changed") this.#list = undefined;
    return found !== "same";
  }

  remove(object: unknown): boolean {
    const reference = this.#identify(object);
    if (!reference) return false;
    const id = idOf(reference.namespace, reference.name);
    const { objects, problems, references, substitutes, kept } = this.#content;
    references.delete(id);
    substitutes.delete(id);
    kept.delete(id);
    const complained = problems.delete(id);
    if (!objects.delete(id)) return complained;
    this.#list = undefined;
    return true;
  }

  /** Reads an object into `into`; what is known of it is the current content's. Returns whether that differs: the object, or just
   * what is said of it. */
  #take(object: unknown, into: Content<T>): "changed" | "problems" | "same" {
    const parsed = this.#kind.schema.safeParse(object, IN_WORDS);
    const reference = parsed.success ? this.#referenceTo(parsed.data.metadata) : this.#identify(object);
    if (!reference) return "same";
    const id = idOf(reference.namespace, reference.name);
    const { objects, problems } = this.#content;
    const known = objects.get(id);
    const { readable, substitute } = this.#kind;
    const good = parsed.success ? undefined : this.#goodBefore(object, reference, id);
    const value = parsed.success ? parsed.data : (readable?.(object, good) ?? good ?? substitute?.(object));
    const isKept = this.#note(
      object,
      id,
      { isGood: parsed.success || good !== undefined, isReadable: parsed.success },
      into,
    );
    if (parsed.success) into.references.delete(id);
    else into.references.set(id, reference);
    const said = parsed.success ? [] : this.#describe(reference, parsed.error, good !== undefined);
    const isSaid = isDeepStrictEqual(problems.get(id) ?? [], said);
    if (said.length > 0) into.problems.set(id, said);
    else into.problems.delete(id);
    const isKnown = isDeepStrictEqual(known, value);
    const kept = isKnown ? known : value;
    if (kept !== undefined) into.objects.set(id, kept);
    else into.objects.delete(id);
    if (!isKnown) return "changed";
    return isSaid && isKept ? "same" : "problems";
  }

  /** The last good version of an object that cannot be read: of this very object, not of another one that had its name. */
  #goodBefore(object: unknown, { uid, namespace, name }: ObjectReference, id: string): T | undefined {
    const { objects, substitutes, kept } = this.#content;
    const known = substitutes.has(id) ? undefined : objects.get(id);
    const isOther = uid !== undefined && known?.metadata.uid != null && known.metadata.uid !== uid;
    if (known && !isOther) return known;
    const text = this.#complete ? undefined : this.#lastGood?.find(object);
    if (text === undefined) return undefined;
    const read = this.#kind.schema.safeParse(goodObject(text)).data;
    const { metadata } = read ?? {};
    if (metadata?.name !== name || (metadata.namespace ?? undefined) !== namespace || metadata.uid !== uid)
      return undefined;
    kept.set(id, { text });
    return read;
  }

  /** @returns whether what is kept is as before */
  #note(
    object: unknown,
    id: string,
    { isGood, isReadable }: { isGood: boolean; isReadable: boolean },
    into: Content<T>,
  ): boolean {
    const before = this.#content.kept.get(id);
    if (isGood || this.#kind.readable) into.substitutes.delete(id);
    else into.substitutes.add(id);
    const text = isReadable ? this.#lastGood && goodText(object) : isGood ? before?.text : undefined;
    const unreadable = isReadable || text === undefined ? undefined : unreadableVersionOf(object);
    if (text === undefined) into.kept.delete(id);
    else into.kept.set(id, { text, ...(unreadable && { unreadable }) });
    return isDeepStrictEqual(before?.unreadable, unreadable);
  }

  #referenceTo({ name, namespace, uid }: z.infer<typeof identified>["metadata"]): ObjectReference {
    const { apiVersion, kind } = this.#kind;
    return { apiVersion, kind, name, namespace: namespace ?? undefined, uid: uid ?? undefined };
  }

  #identify(object: unknown): ObjectReference | undefined {
    const parsed = identified.safeParse(object);
    return parsed.success ? this.#referenceTo(parsed.data.metadata) : undefined;
  }

  #describe({ namespace, name }: ObjectReference, error: z.ZodError, hasGood: boolean): Problem[] {
    const instead =
      hasGood && !this.#kind.readable
        ? "its last good version stays in force"
        : (this.#kind.instead ?? "it is left out until it is fixed");
    const group = tellingGroup(this.#kind);
    const problems = error.issues.map((issue) => ({
      kind: this.#kind.kind,
      ...(group !== undefined && { group }),
      namespace,
      name,
      path: fieldPath(issue),
      message: `${cut(issue.message, LONGEST_ISSUE)}; ${instead}.`,
    }));
    return [...fewOfEach(problems)];
  }
}

function idOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

/** ["spec", "ports", 0, "port"] as text: spec.ports[0].port. For an unknown key, the path of the key, not of its parent. */
function fieldPath(issue: z.core.$ZodIssue): string {
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    "",
  );
}
