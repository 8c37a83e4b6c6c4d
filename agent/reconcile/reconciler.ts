import { each, finish, type Steps } from "../../model/steps.ts";
import type { DesiredMaps, MapContents, WrittenMap } from "../compile/desired.ts";
import { asWritten, keyText, preference } from "../compile/key.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { maps as definitions } from "../kernel/layout.gen.ts";
import { FULL_IN_A_ROW, type MapStores, type WriteFailure } from "../kernel/map-store.ts";
import type { ComparedMap } from "./comparison.ts";
import { DeltaMap, type OwnedEntry } from "./delta-map.ts";
import type { RecordNumber } from "./record-table.ts";
import type { Deltas, Step } from "./step.ts";
import { passingOrder, writeOrder } from "./write-order.ts";

/** The maps that the reconciler writes. */
export type WrittenStores = Pick<MapStores, WrittenMap>;

/** Failed writes of one owner to one map, described for users. The next sync tries them again. */
export interface WriteProblem {
  readonly map: WrittenMap;
  readonly owner: string;
  /** The reason of the first failure. */
  readonly entry: string;
  readonly count: number;
  readonly full: boolean;
  readonly reason: string;
}

export interface SyncReport {
  /** Number of successful writes. */
  readonly written: number;
  /** The maps changed by them. */
  readonly changed: ReadonlySet<WrittenMap>;
  readonly problems: readonly WriteProblem[];
  /** Entries that differ from the desired state: failed, or waiting for a failed one. */
  readonly pending: number;
}

/** Entries written in a row; between two such batches other work may run. */
const BATCH = 1024;

type Written = Pick<SyncReport, "written" | "problems">;
type WrittenMaps = Written & Pick<SyncReport, "changed">;
type AnyEntry = OwnedEntry<never, never>;

/** Brings the maps to the desired state with the fewest writes, in `writeOrder`. */
export class Reconciler {
  readonly deltas: Deltas;
  readonly #stores: WrittenStores;
  #loaded = false;

  constructor(stores: WrittenStores) {
    this.#stores = stores;
    const entries = Object.keys(keyText).map((map) => [map, deltaFor(map as WrittenMap)]);
    this.deltas = Object.fromEntries(entries) as Deltas;
  }

  /** The first call reads the entries left by a previous agent; only differences are written. The caller must have
   * seen a complete list of every kind: entries that are not desired are removed. */
  sync(desired: DesiredMaps): SyncReport {
    return finish(this.syncing(desired));
  }

  /** The same in parts. Each part leaves the maps consistent. */
  *syncing(desired: DesiredMaps): Steps<SyncReport> {
    if (!this.#loaded) yield* this.rereading();
    // A write that fails in a stage fails again at the end, or no longer matters; it is reported once.
    let passed = 0;
    const changed = new Set<WrittenMap>();
    for (const stage of desired.through ?? []) {
      const done = yield* this.#write(stage, passingOrder);
      passed += done.written;
      for (const map of done.changed) changed.add(map);
    }
    const { written, problems, ...last } = yield* this.#write(desired, writeOrder);
    for (const map of last.changed) changed.add(map);
    const pending = Object.values(this.deltas).reduce((sum, delta) => sum + delta.pendingCount, 0);
    return { written: passed + written, changed, problems, pending };
  }

  /** Reads the current content of these maps as the actual state: changes made by other programs become pending. */
  *rereading(maps: Iterable<WrittenMap> = this.#maps): Steps<void> {
    for (const map of maps) yield* this.#sides(map).delta.loading(this.#content(map).read());
    this.#loaded = true;
  }

  /** Reads all maps, beside the work that writes them. Returns those that another program has changed. */
  *comparing(): Steps<readonly WrittenMap[]> {
    const changed: WrittenMap[] = [];
    for (const map of this.#maps) {
      if (yield* this.#sides(map).delta.comparing(this.#content(map))) changed.push(map);
    }
    return changed;
  }

  *#write(desired: MapContents, order: readonly Step[]): Steps<WrittenMaps> {
    for (const map of this.#maps) {
      const { delta } = this.#sides(map);
      yield* delta.settingDesired(desired[map] as Parameters<typeof delta.settingDesired>[0]);
    }
    let written = 0;
    const changed = new Set<WrittenMap>();
    const problems: WriteProblem[] = [];
    for (const step of order) {
      const done = yield* step.verb === "update" ? this.#update(step) : this.#delete(step);
      written += done.written;
      if (done.written > 0) changed.add(step.map);
      problems.push(...done.problems);
    }
    return { written, changed, problems };
  }

  *#update({ map, waits, meanwhile }: Step): Steps<Written> {
    const { delta, store } = this.#sides(map);
    const wait = waits?.(this.deltas);
    const stand = meanwhile?.(this.deltas) as ((value: never, actual: never | undefined) => never) | undefined;
    const pending = delta.updates();
    yield;
    const entryOf = (record: RecordNumber): AnyEntry => {
      const entry = delta.desiredOf(record);
      return stand ? { ...entry, value: stand(entry.value, delta.actualOf(record)) } : entry;
    };
    // Replacing an existing entry works even in a full map, so these come first.
    const present: RecordNumber[] = [];
    const added: RecordNumber[] = [];
    yield* each(pending, (record) => {
      if (wait?.(delta.desiredOf(record))) return;
      const actual = delta.actualOf(record);
      if (actual === undefined) added.push(record);
      else if (!stand || !equal(entryOf(record).value, actual)) present.push(record);
    });
    return yield* inBatches(
      map,
      [...present, ...added],
      entryOf,
      (batch) => store.update(batch.map(({ key, value }) => [key, value])),
      (record, { value }) => delta.wrote(record, value),
    );
  }

  *#delete({ map, waits }: Step): Steps<Written> {
    const { delta, store } = this.#sides(map);
    const wait = waits?.(this.deltas);
    const pending = delta.deletions();
    yield;
    const entryOf = (record: RecordNumber): AnyEntry => {
      const value = delta.actualOf(record) as never;
      return { owner: "(no longer desired)", key: delta.keyOf(record), value };
    };
    const ready: RecordNumber[] = [];
    yield* each(pending, (record) => {
      if (!wait?.(entryOf(record))) ready.push(record);
    });
    return yield* inBatches(
      map,
      ready,
      entryOf,
      (batch) => store.delete(batch.map(({ key }) => key)),
      (record) => delta.removed(record),
    );
  }

  get #maps(): WrittenMap[] {
    return Object.keys(this.deltas) as WrittenMap[];
  }

  /** A map's content, as this agent writes it. */
  #content(map: WrittenMap): ComparedMap<never, never> {
    const { store } = this.#sides(map);
    const written = asWritten[map] as ((value: never) => never) | undefined;
    if (!written) return store;
    return {
      definition: store.definition,
      *read() {
        for (const [key, value] of store.read()) yield [key, written(value)] as [never, never];
      },
      lookup(key) {
        const value = store.lookup(key);
        return value === undefined ? undefined : written(value);
      },
    };
  }

  /** Both sides of one map. The types of different maps meet here only: a step's entries come from its own map. */
  #sides(map: WrittenMap): { delta: DeltaMap<never, never>; store: AnyStore } {
    return { delta: this.deltas[map] as never, store: this.#stores[map] as unknown as AnyStore };
  }
}

interface AnyStore extends ComparedMap<never, never> {
  update(entries: Iterable<readonly [never, never]>): WriteFailure<never>[];
  delete(keys: Iterable<never>): WriteFailure<never>[];
}

/** Passes entries to a store, batch after batch, until it is full. `wrote` is called for each success. */
function* inBatches(
  map: WrittenMap,
  records: readonly RecordNumber[],
  entryOf: (record: RecordNumber) => AnyEntry,
  write: (batch: readonly AnyEntry[]) => WriteFailure<never>[],
  wrote: (record: RecordNumber, entry: AnyEntry) => void,
): Steps<Written> {
  const problems = new Map<string, WriteProblem>();
  let failed = 0;
  let full: WriteFailure<never> | undefined;
  for (let first = 0; first < records.length; first += BATCH) {
    const batch = records.slice(first, first + BATCH).map(entryOf);
    const failures = full ? [] : write(batch);
    const byKey = new Map<never, WriteFailure<never>>(failures.map((failure) => [failure.key, failure]));
    for (const [index, entry] of batch.entries()) {
      const failure = full ?? byKey.get(entry.key);
      if (!failure) {
        wrote(records[first + index] as RecordNumber, entry);
        continue;
      }
      failed++;
      const { owner, key } = entry;
      const known = problems.get(owner) ?? {
        map,
        owner,
        entry: (keyText[map] as (key: never) => string)(key),
        count: 0,
        full: failure.full,
        reason: failure.reason,
      };
      problems.set(owner, { ...known, count: known.count + 1 });
    }
    if (failures.length >= FULL_IN_A_ROW) {
      const last = failures.at(-1);
      if (last?.full && last.key === batch.at(-1)?.key) full = last;
    }
    yield;
  }
  return { written: records.length - failed, problems: [...problems.values()] };
}

function deltaFor<M extends WrittenMap>(map: M): DeltaMap<never, never> {
  const definition = definitions[map] as unknown as MapDefinition<never, never>;
  return new DeltaMap<never, never>(definition, preference[map] as never);
}

/** Whether two values of a map are equal: numbers, strings, or flat structs of both. */
function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return Object.keys(left).every((name) => left[name] === right[name]);
}
