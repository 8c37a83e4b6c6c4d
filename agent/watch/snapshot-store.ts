import type { ListSink } from "../../kubernetes/watch.ts";
import type { KindName } from "../../model/objects/kinds.ts";
import { kindNames } from "../../model/objects/kinds.ts";
import type { KubernetesObject } from "../../model/objects/metadata.ts";
import type { Problem } from "../../model/problem.ts";
import type { ClusterObjects, ClusterSnapshot, LocalEndpoint, NodeFacts } from "../compile/snapshot.ts";
import { kinds } from "./kinds.ts";
import { KEPT_KINDS, type KeptVersion, keptFor } from "./last-good.ts";
import { ObjectCache, type ObjectReference } from "./object-cache.ts";

/** Receives objects from their sources (the API server, files). */
export interface ObjectSink {
  /** A list of the kind begins. */
  listing(kind: KindName): ListSink;
  put(kind: KindName, object: unknown): void;
  remove(kind: KindName, object: unknown): void;
  /** Whether the kind's watch works now. */
  watching(kind: KindName, works: boolean): void;
}

// Each cache holds objects of its own kind; `list` restores their type.
type Caches = Readonly<Record<KindName, ObjectCache<KubernetesObject>>>;

/** The cluster as last seen. Handlers only record the change and call `changed`; the runner does all work. */
export class SnapshotStore implements ObjectSink {
  readonly #caches: Caches;
  readonly #changed: (kind: KindName) => void;
  readonly #failing = new Set<KindName>();

  /** `changed` is called after every change, with the kind of the objects, also before the lists are complete.
   * @param kept by an earlier agent; it counts until the lists are complete */
  constructor(changed: (kind: KindName) => void, kept: readonly KeptVersion[] = []) {
    const lastGood = (name: KindName) =>
      KEPT_KINDS.has(name) ? { find: (object: unknown) => keptFor(kept, name, object) } : undefined;
    this.#caches = Object.fromEntries(
      kindNames.map((name) => [name, new ObjectCache<KubernetesObject>(kinds[name], lastGood(name))]),
    ) as Caches;
    this.#changed = changed;
  }

  /** Kinds without a complete list yet. While there is one, nothing may be removed from the kernel. */
  missing(): readonly KindName[] {
    return kindNames.filter((name) => !this.#caches[name].complete);
  }

  get complete(): boolean {
    return this.missing().length === 0;
  }

  listing(kind: KindName): ListSink {
    const cache = this.#caches[kind];
    const list = cache.listing();
    return {
      put: (object) => list.put(object),
      complete: () => {
        if (list.complete()) this.#changed(kind);
      },
    };
  }

  /** Takes a complete list of the kind. */
  replace(kind: KindName, objects: readonly unknown[]): void {
    const list = this.listing(kind);
    for (const object of objects) list.put(object);
    list.complete();
  }

  put(kind: KindName, object: unknown): void {
    if (this.#caches[kind].put(object)) this.#changed(kind);
  }

  remove(kind: KindName, object: unknown): void {
    if (this.#caches[kind].remove(object)) this.#changed(kind);
  }

  watching(kind: KindName, works: boolean): void {
    if (works) this.#failing.delete(kind);
    else this.#failing.add(kind);
  }

  /** Kinds whose watch fails now: their objects may be stale. */
  failing(): readonly KindName[] {
    return [...this.#failing];
  }

  list<K extends KindName>(kind: K): ClusterObjects[K] {
    return this.#caches[kind].list() as unknown as ClusterObjects[K];
  }

  snapshot(facts: NodeFacts, endpoints: readonly LocalEndpoint[]): ClusterSnapshot {
    const objects = Object.fromEntries(kindNames.map((name) => [name, this.list(name)])) as unknown as ClusterObjects;
    return { facts, endpoints, ...objects };
  }

  /** The last good versions of objects that cannot be read. */
  kept(): readonly KeptVersion[] {
    return kindNames.flatMap((kind) => this.#caches[kind].kept().map((version) => ({ kind, ...version })));
  }

  /** Problems of invalid objects. */
  problems(): readonly Problem[] {
    return kindNames.flatMap((name) => this.#caches[name].problems());
  }

  /** The API object a problem is about. */
  reference({ kind, group, namespace, name }: Problem): ObjectReference | undefined {
    const named = kindNames.filter((item) => kinds[item].kind === kind);
    const meant = group === undefined ? named : named.filter((item) => kinds[item].group === group);
    const caches = meant.map((item) => this.#caches[item]);
    return caches.map((cache) => cache.reference(namespace, name)).find((found) => found !== undefined);
  }
}
