// What the rest of the agent knows of a BPF map. Three implementations pass one suite (map-store.cases.ts): the
// kernel's map, one in memory, and one in memory that fails on request.
import type { MapDefinition } from "./codec.ts";
import type { KeyOf, MapName, Maps, ValueOf } from "./layout.gen.ts";

/** One write that did not happen. `full` tells that the map has no room; the other entries of the call were written. */
export interface WriteFailure<K> {
  readonly key: K;
  readonly full: boolean;
  readonly reason: string;
}

/** A map this often full in a row is full: asking it for 50,000 more entries would only keep the agent from its work. */
export const FULL_IN_A_ROW = 32;

/** Typed access to one map. Writes take many entries because the kernel does (one system call for thousands). */
export interface MapStore<K, V> {
  readonly definition: MapDefinition<K, V>;
  lookup(key: K): V | undefined;
  /** Everything in the map at about one moment; the packet path may write meanwhile. */
  entries(): [K, V][];
  /** The same little by little: a batch is read when the one before has been looked at. */
  read(): Iterable<[K, V]>;
  /** Inserts or replaces, in the order given; goes on after a failure. A map that found no room for `FULL_IN_A_ROW`
   * entries in a row is not asked for the rest, which count as failed: put replacements before what is new. */
  update(entries: Iterable<readonly [K, V]>): WriteFailure<K>[];
  /** Removes; a key that is not there is a success. */
  delete(keys: Iterable<K>): WriteFailure<K>[];
}

/** The maps with one value per key. Per-CPU maps are counters, read by outcomes.ts; what lies with sockets is read by
 * sock-diag.ts; the agent writes neither. */
export type StoredMapName = {
  [M in MapName]: Maps[M]["type"] extends "percpu_array" | "sk_storage" ? never : M;
}[MapName];

/** All maps of the packet path, by name. */
export type MapStores = { readonly [M in StoredMapName]: MapStore<KeyOf<M>, ValueOf<M>> };
