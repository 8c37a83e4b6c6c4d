import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import type { Problem } from "../../model/problem.ts";
import type { Kind } from "./kinds.ts";

/** The reference by which an Event is shown with its object. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid?: string | undefined;
}

const identified = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().nullish(), uid: z.string().nullish() }),
});

/** The objects of one kind as last seen: only the fields in use, and for an invalid object its last valid
 * version. An object without changes in those fields keeps its identity (===). */
export class ObjectCache<T extends KubernetesObject> {
  readonly #kind: Kind<T>;
  readonly #objects = new Map<string, T>();
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #references = new Map<string, ObjectReference>();
  #list: readonly T[] | undefined;
  #complete = false;

  constructor(kind: Kind<T>) {
    this.#kind = kind;
  }

  /** True once a complete list was seen. */
  get complete(): boolean {
    return this.#complete;
  }

  /** The same array until something changes. */
  list(): readonly T[] {
    this.#list ??= [...this.#objects.values()];
    return this.#list;
  }

  problems(): readonly Problem[] {
    return [...this.#problems.values()].flat();
  }

  reference(namespace: string | undefined, name: string): ObjectReference | undefined {
    return this.#references.get(idOf(namespace, name));
  }

  /** Takes a complete list: objects that are not in it are removed. Returns whether anything changed. */
  replace(objects: readonly unknown[]): boolean {
    const first = !this.#complete;
    this.#complete = true;
    let changed = false;
    const seen = new Set<string>();
    for (const object of objects) {
      const id = this.#identify(object);
      if (id === undefined) continue;
      seen.add(id);
      changed = this.#put(id, object) || changed;
    }
    for (const id of [...this.#references.keys()]) {
      if (!seen.has(id)) changed = this.#drop(id) || changed;
    }
    return changed || first;
  }

  put(object: unknown): boolean {
    const id = this.#identify(object);
    return id !== undefined && this.#put(id, object);
  }

  remove(object: unknown): boolean {
    const id = this.#identify(object);
    return id !== undefined && this.#drop(id);
  }

  #put(id: string, object: unknown): boolean {
    const parsed = this.#kind.schema.safeParse(object);
    const known = this.#objects.get(id);
    const { readable, substitute } = this.#kind;
    const value = parsed.success ? parsed.data : (readable?.(object, known) ?? known ?? substitute?.(object));
    const problems = parsed.success ? [] : this.#describe(id, parsed.error, known !== undefined);
    const complained = this.#setProblems(id, problems);
    if (value === undefined || (known !== undefined && isDeepStrictEqual(known, value))) return complained;
    this.#objects.set(id, value);
    this.#list = undefined;
    return true;
  }

  #drop(id: string): boolean {
    const complained = this.#setProblems(id, []);
    this.#references.delete(id);
    if (!this.#objects.delete(id)) return complained;
    this.#list = undefined;
    return true;
  }

  #setProblems(id: string, problems: readonly Problem[]): boolean {
    if (isDeepStrictEqual(this.#problems.get(id) ?? [], problems)) return false;
    if (problems.length > 0) this.#problems.set(id, problems);
    else this.#problems.delete(id);
    return true;
  }

  #identify(object: unknown): string | undefined {
    const parsed = identified.safeParse(object);
    if (!parsed.success) return undefined;
    const { name, namespace, uid } = parsed.data.metadata;
    const id = idOf(namespace ?? undefined, name);
    const { apiVersion, kind } = this.#kind;
    this.#references.set(id, { apiVersion, kind, name, namespace: namespace ?? undefined, uid: uid ?? undefined });
    return id;
  }

  #describe(id: string, error: z.ZodError, hasGood: boolean): Problem[] {
    const reference = this.#references.get(id);
    const instead =
      hasGood && !this.#kind.readable
        ? "its last good version stays in force"
        : (this.#kind.instead ?? "it is left out until it is fixed");
    return error.issues.map((issue) => ({
      kind: this.#kind.kind,
      namespace: reference?.namespace,
      name: reference?.name ?? id,
      path: fieldPath(issue),
      message: `${issue.message}; ${instead}.`,
    }));
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
