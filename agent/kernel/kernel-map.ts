import { closeSync } from "node:fs";
import { BATCH, isFull, noBatch, write } from "./batches.ts";
import type { MapDefinition } from "./codec.ts";
import { describeError, ENOENT, ENOSPC, libbpf } from "./libbpf.ts";
import type { Batch, MapStore, WriteFailure } from "./map-store.ts";

const ANY = 0n; // BPF_ANY: insert or replace

/** A map in the kernel, by its file descriptor. Uses batches where the map supports them, single calls otherwise. */
export class KernelMap<K, V> implements MapStore<K, V> {
  readonly definition: MapDefinition<K, V>;
  readonly fd: number;

  constructor(definition: MapDefinition<K, V>, fd: number) {
    this.definition = definition;
    this.fd = fd;
  }

  lookup(key: K): V | undefined {
    const { key: keys, value: values } = this.definition;
    const wanted = buffer(keys.size);
    keys.encode(key, wanted.view, 0);
    const found = buffer(values.size);
    const result = libbpf().lookup(this.fd, wanted.bytes, found.bytes);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.#error("read", result);
    return values.decode(found.view, 0);
  }

  entries(): [K, V][] {
    return [...this.read()];
  }

  *read(isWanted: (key: K) => boolean = () => true): Iterable<[K, V]> {
    if (!(yield* this.#byBatch(isWanted))) yield* this.#entriesOneByOne().filter(([key]) => isWanted(key));
  }

  update(entries: Iterable<readonly [K, V]>): WriteFailure<K>[] {
    const { key: keys, value: values } = this.definition;
    const all = [...entries];
    return write(all.length, (first, count) => {
      const k = buffer(count * keys.size);
      const v = buffer(count * values.size);
      for (let index = 0; index < count; index++) {
        const [key, value] = all[first + index] as readonly [K, V];
        keys.encode(key, k.view, index * keys.size);
        values.encode(value, v.view, index * values.size);
      }
      return (at, many, done) => {
        const [key, value] = [k.bytes.subarray(at * keys.size), v.bytes.subarray(at * values.size)];
        return many ? libbpf().updateBatch(this.fd, key, value, done, null) : libbpf().update(this.fd, key, value, ANY);
      };
    }).map(({ index, code }) => this.#failure((all[index] as readonly [K, V])[0], code));
  }

  delete(unwanted: Iterable<K>): WriteFailure<K>[] {
    const { key: keys } = this.definition;
    const all = [...unwanted];
    return write(all.length, (first, count) => {
      const k = buffer(count * keys.size);
      for (let index = 0; index < count; index++) keys.encode(all[first + index] as K, k.view, index * keys.size);
      return (at, many, done) => {
        const key = k.bytes.subarray(at * keys.size);
        return many ? libbpf().deleteBatch(this.fd, key, done, null) : libbpf().delete(this.fd, key);
      };
    })
      .filter(({ code }) => code !== -ENOENT)
      .map(({ index, code }) => this.#failure(all[index] as K, code));
  }

  close(): void {
    closeSync(this.fd);
  }

  // Returns false before reading anything when the map does not support batches.
  *#byBatch(isWanted: (key: K) => boolean): Generator<[K, V], boolean, void> {
    const { key: keys, value: values } = this.definition;
    const batches = this.batches();
    for (;;) {
      const { done, value } = batches.next();
      if (done) return value;
      for (let index = 0; index < value.count; index++) {
        const key = keys.decode(value.keys, index * keys.size);
        if (isWanted(key)) yield [key, values.decode(value.values, index * values.size)];
      }
    }
  }

  *batches(): Generator<Batch, boolean, void> {
    const { key: keys, value: values, maxEntries } = this.definition;
    // A hash map is read bucket by bucket and returns ENOSPC when a bucket holds more entries than the buffer has room for.
    let room = Math.min(BATCH, maxEntries);
    let from: Uint8Array | null = null;
    for (;;) {
      const k = buffer(room * keys.size);
      const v = buffer(room * values.size);
      const next = new Uint8Array(Math.max(keys.size, 8));
      const count = Uint32Array.of(room);
      const result = libbpf().lookupBatch(this.fd, from, next, k.bytes, v.bytes, count, null);
      if (from === null && noBatch(result)) return false;
      if (result === -ENOSPC && room < maxEntries * 2) {
        room *= 2;
        continue;
      }
      if (result < 0 && result !== -ENOENT) throw this.#error("read", result);
      yield { keys: k.view, values: v.view, count: count[0] as number };
      if (result === -ENOENT) return true;
      from = next;
    }
  }

  #entriesOneByOne(): [K, V][] {
    const { key: keys, value: values, maxEntries } = this.definition;
    const found: [K, V][] = [];
    let last: Uint8Array | null = null;
    const value = buffer(values.size);
    // The packet path may remove the current key, which restarts the walk: bounded by the size of the map.
    for (let step = 0; step < maxEntries * 2; step++) {
      const next = buffer(keys.size);
      if (libbpf().nextKey(this.fd, last, next.bytes) < 0) break;
      if (libbpf().lookup(this.fd, next.bytes, value.bytes) === 0) {
        found.push([keys.decode(next.view, 0), values.decode(value.view, 0)]);
      }
      last = next.bytes;
    }
    return found;
  }

  #failure(key: K, code: number): WriteFailure<K> {
    const full = isFull(code);
    const { name, maxEntries } = this.definition;
    const reason = full ? `map ${name} is full (${maxEntries} entries)` : `map ${name}: ${describeError(code)}`;
    return { key, full, reason };
  }

  #error(verb: string, code: number): Error {
    return new Error(`Cannot ${verb} map ${this.definition.name}: ${describeError(code)}.`);
  }
}

function buffer(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}
