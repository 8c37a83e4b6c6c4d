import type { DesiredMaps, MapContents, WrittenMap } from "../compile/desired.ts";
import { keyText, preference } from "../compile/key.ts";
import type { MapStores } from "../kernel/map_store.ts";
import { DeltaMap } from "./delta_map.ts";
import { type Deltas, passingOrder, type Step, writeOrder } from "./write_order.ts";

/** The maps as the reconciler writes them. */
export type WrittenStores = Pick<MapStores, WrittenMap>;

/** A write that did not happen, in words for people. It is tried again by the next sync. */
export interface WriteProblem {
  readonly map: WrittenMap;
  readonly owner: string;
  readonly entry: string;
  readonly full: boolean;
  readonly reason: string;
}

export interface SyncReport {
  /** Writes that happened. */
  readonly written: number;
  readonly problems: readonly WriteProblem[];
  /** Entries that are not yet as they should be: failed, or waiting for what failed. */
  readonly pending: number;
}

/** Brings the maps to a desired state with the fewest writes, in `writeOrder`. */
export class Reconciler {
  readonly deltas: Deltas;
  readonly #stores: WrittenStores;
  #loaded = false;

  constructor(stores: WrittenStores) {
    this.#stores = stores;
    const entries = Object.keys(keyText).map((map) => [map, deltaFor(map as WrittenMap)]);
    this.deltas = Object.fromEntries(entries) as Deltas;
  }

  /** The first call reads what a previous agent left in the maps; only what differs is written. The caller must have
   * seen a complete list of every kind: what is not desired is removed. */
  sync(desired: DesiredMaps): SyncReport {
    if (!this.#loaded) this.#load();
    // What fails on the way there fails again, or no longer matters, at the end; it is told of once.
    const passed = (desired.through ?? []).map((stage) => this.#write(stage, passingOrder).written);
    const { written, problems } = this.#write(desired, writeOrder);
    const pending = Object.values(this.deltas).reduce((sum, delta) => sum + delta.pendingCount, 0);
    return { written: passed.reduce((sum, count) => sum + count, written), problems, pending };
  }

  #write(desired: MapContents, order: readonly Step[]): Pick<SyncReport, "written" | "problems"> {
    for (const map of Object.keys(this.deltas) as WrittenMap[]) this.#setDesired(map, desired);
    const results = order.map((step) => (step.verb === "update" ? this.#update(step) : this.#delete(step)));
    return {
      written: results.reduce((sum, { written }) => sum + written, 0),
      problems: results.flatMap(({ problems }) => problems),
    };
  }

  #load(): void {
    for (const map of Object.keys(this.deltas) as WrittenMap[]) {
      const { delta, store } = this.#sides(map);
      delta.load(store.entries());
    }
    this.#loaded = true;
  }

  #setDesired<M extends WrittenMap>(map: M, desired: MapContents): void {
    const { delta } = this.#sides(map);
    delta.setDesired(desired[map] as Parameters<typeof delta.setDesired>[0]);
  }

  #update({ map, waits }: Step): Pick<SyncReport, "written" | "problems"> {
    const { delta, store } = this.#sides(map);
    const wait = waits?.(this.deltas);
    const entries = delta.pendingUpdates().filter((entry) => !wait?.(entry));
    if (entries.length === 0) return { written: 0, problems: [] };
    const failures = new Map(
      store.update(entries.map(({ key, value }) => [key, value])).map((failure) => [keyId(map, failure.key), failure]),
    );
    const problems: WriteProblem[] = [];
    for (const entry of entries) {
      const failure = failures.get(entry.id);
      if (!failure) delta.wrote(entry);
      else problems.push({ map, owner: entry.owner, entry: entry.id, full: failure.full, reason: failure.reason });
    }
    return { written: entries.length - problems.length, problems };
  }

  #delete({ map, waits }: Step): Pick<SyncReport, "written" | "problems"> {
    const { delta, store } = this.#sides(map);
    const wait = waits?.(this.deltas);
    const entries = delta.pendingDeletions().filter((entry) => !wait?.(entry));
    if (entries.length === 0) return { written: 0, problems: [] };
    const failures = new Map(
      store.delete(entries.map(({ key }) => key)).map((failure) => [keyId(map, failure.key), failure]),
    );
    const problems: WriteProblem[] = [];
    for (const { id } of entries) {
      const failure = failures.get(id);
      if (!failure) delta.removed(id);
      else problems.push({ map, owner: "nobody any more", entry: id, full: false, reason: failure.reason });
    }
    return { written: entries.length - problems.length, problems };
  }

  /** Both sides of one map. The types of different maps meet here only: a step's entries come from its own map. */
  #sides(map: WrittenMap): { delta: DeltaMap<never, never>; store: AnyStore } {
    return { delta: this.deltas[map] as never, store: this.#stores[map] as unknown as AnyStore };
  }
}

interface AnyStore {
  entries(): [never, never][];
  update(entries: Iterable<readonly [never, never]>): { key: never; full: boolean; reason: string }[];
  delete(keys: Iterable<never>): { key: never; full: boolean; reason: string }[];
}

function deltaFor<M extends WrittenMap>(map: M): DeltaMap<never, never> {
  return new DeltaMap(keyText[map], preference[map]) as never;
}

function keyId(map: WrittenMap, key: never): string {
  return keyText[map](key);
}
