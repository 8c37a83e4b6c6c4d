// The rest of the agent's view of a BPF map. Three implementations pass one suite (map-store.cases.ts): the
// kernel's map, one in memory, and one in memory that fails on request.
import type { MapDefinition } from "./codec.ts";
import type { KeyOf, MapName, Maps, ValueOf } from "./layout.gen.ts";

/** One failed write. `full`: the map has no room. The other entries of the call were written. */
export interface WriteFailure<K> {
  readonly key: K;
  readonly full: boolean;
  readonly reason: string;
}

/** After this many "full" answers in a row the rest is not tried: 50,000 more attempts would only keep the agent busy. */
export const FULL_IN_A_ROW = 32;

/** The bytes of entries: keys and values, one behind the other. */
export interface Batch {
  readonly keys: DataView;
  readonly values: DataView;
  readonly count: number;
}

/** Typed access to one map. Writes take many entries, as the kernel does (one system call for thousands). */
export interface MapStore<K, V> {
  readonly definition: MapDefinition<K, V>;
  lookup(key: K): V | undefined;
  /** All entries of the map; the packet path may write meanwhile. */
  entries(): [K, V][];
  /** The same, one batch at a time: the next batch is read when the previous one has been consumed. @param isWanted leaves out the others, before
   * their values are decoded */
  read(isWanted?: (key: K) => boolean): Iterable<[K, V]>;
  /** The same as bytes, for whom objects would be too many. Returns false before reading anything when the map does not support batches. */
  batches?(): Generator<Batch, boolean, void>;
  /** Inserts or replaces in the given order and continues after a failure. When a map found no room for `FULL_IN_A_ROW`
   * entries in a row, the rest is not tried and counts as failed: put replacements before new entries. */
  update(entries: Iterable<readonly [K, V]>): WriteFailure<K>[];
  /** Removes entries; a missing key is a success. */
  delete(keys: Iterable<K>): WriteFailure<K>[];
}

/** The maps with one value per key. Per-CPU maps are counters, read by outcomes.ts; socket storage is read by
 * socket-walk.ts; the agent writes neither. */
export type StoredMapName = {
  [M in MapName]: Maps[M]["type"] extends "percpu_hash" | "percpu_array" | "lru_percpu_hash" | "sk_storage" ? never : M;
}[MapName];

/** All maps of the packet path, by name. */
export type MapStores = { readonly [M in StoredMapName]: MapStore<KeyOf<M>, ValueOf<M>> };
