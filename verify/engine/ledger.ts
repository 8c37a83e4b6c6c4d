import type { KubernetesObject } from "../../components/documents/check.ts";
import { isAway } from "../../kubernetes/errors.ts";
import { type ObjectId, objectText } from "../../kubernetes/object.ts";
import { until } from "../../kubernetes/patience.ts";
import type { StoredObject } from "../cluster/objects.ts";
import { applyPatiently, deletePatiently, ObjectRefused, readPatiently, restorePatiently } from "./apply.ts";
import type { World } from "./world.ts";

/** Marks objects created by a check, so that the next run recognises the remains of a killed one. */
export const MADE_BY = "ebpf-dataplane.io/made-by-check";

const goneSeconds = 120;
const pauseMs = 300;

/** The state of an object before the check's first change. */
interface Entry {
  id: ObjectId;
  before?: StoredObject;
}

/**
 * Applies and deletes objects for a check, and undoes it: created objects are removed in reverse order, and changed ones
 * are restored.
 */
export class Ledger {
  readonly #world: World;
  readonly #entries = new Map<string, Entry>();

  constructor(world: World) {
    this.#world = world;
  }

  async apply(object: KubernetesObject): Promise<void> {
    const { before } = await this.#enter(object);
    await applyPatiently(this.#world, before ? object : marked(object));
  }

  async delete(id: ObjectId): Promise<void> {
    await this.#enter(id);
    await deletePatiently(this.#world, id);
  }

  /** Removes and restores everything; resolves when removed objects are gone. @returns what could not be undone */
  async undo(): Promise<string[]> {
    // A user's stop ends the check, but not the cleanup.
    const world = { ...this.#world, stopping: new AbortController().signal };
    const entries = [...this.#entries.values()].reverse();
    this.#entries.clear();
    const left: string[] = [];
    for (const { id, before } of entries) {
      try {
        await (before ? restorePatiently(world, before) : deletePatiently(world, id));
      } catch (error) {
        left.push(`${objectText(id)}: ${(error as Error).message}`);
        // After one timeout the other objects are not tried: the cluster does not answer.
        if (error instanceof ObjectRefused && error.unreachable) {
          const others = entries.slice(entries.findIndex((entry) => entry.id === id) + 1);
          return [
            ...left,
            ...others.map((other) => `${objectText(other.id)}: not tried, the API server does not answer`),
          ];
        }
      }
    }
    return [...left, ...(await this.#untilGone(entries.filter(({ before }) => !before).map(({ id }) => id)))];
  }

  async #enter(id: ObjectId): Promise<Entry> {
    const key = `${id.apiVersion} ${id.kind} ${id.metadata.namespace ?? "default"}/${id.metadata.name}`;
    const known = this.#entries.get(key);
    if (known) return known;
    const { apiVersion, kind, metadata } = id;
    const now = await readPatiently(this.#world, id);
    const foreign = now && !now.metadata.deletionTimestamp && !now.metadata.annotations?.[MADE_BY];
    const entry: Entry = {
      id: { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace } },
      before: foreign ? now : undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  async #untilGone(ids: ObjectId[]): Promise<string[]> {
    const { clock, objects } = this.#world;
    let left = ids;
    const look = async (): Promise<string | undefined> => {
      // Only the API server's answer shows that an object is gone; no answer means unknown.
      const there = await Promise.all(left.map((id) => objects.read(id).then(Boolean, isAway)));
      left = left.filter((_, index) => there[index]);
      return left.length > 0 ? "objects still exist" : undefined;
    };
    await until(look, goneSeconds, () => {}, { clock, everyMs: pauseMs });
    return left.map((id) => `${objectText(id)}: still exists after ${goneSeconds} s`);
  }
}

function marked(object: KubernetesObject): KubernetesObject {
  const annotations = object.metadata.annotations as Record<string, string> | undefined;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [MADE_BY]: "true" } } };
}
