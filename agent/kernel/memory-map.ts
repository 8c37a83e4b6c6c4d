import { type Codec, encodeOne, type MapDefinition } from "./codec.ts";
import { maps } from "./layout.gen.ts";
import type { Batch, MapStore, MapStores, StoredMapName, WriteFailure } from "./map-store.ts";

/** A map in memory, for tests and dry runs. It stores bytes, not objects, so that it finds
 * keys that differ only in JavaScript, and it is full when the kernel's map would be. */
export class MemoryMap<K, V> implements MapStore<K, V> {
  readonly definition: MapDefinition<K, V>;
  readonly #content = new Map<string, { key: Uint8Array; value: Uint8Array }>();

  constructor(definition: MapDefinition<K, V>) {
    this.definition = definition;
    // The kernel's arrays have all their entries from the start, zeroed.
    if (definition.type === "array") {
      for (let index = 0; index < definition.maxEntries; index++) {
        const key = new Uint8Array(Uint32Array.of(index).buffer);
        this.#content.set(identity(key), { key, value: new Uint8Array(definition.value.size) });
      }
    }
  }

  lookup(key: K): V | undefined {
    const entry = this.#content.get(identity(encodeOne(this.definition.key, key)));
    return entry && decodeOne(this.definition.value, entry.value);
  }

  entries(): [K, V][] {
    return [...this.#content.values()].map(({ key, value }) => [
      decodeOne(this.definition.key, key),
      decodeOne(this.definition.value, value),
    ]);
  }

  read(isWanted: (key: K) => boolean = () => true): [K, V][] {
    return this.entries().filter(([key]) => isWanted(key));
  }

  *batches(): Generator<Batch, boolean, void> {
    const all = [...this.#content.values()];
    const joined = (parts: readonly Uint8Array[]) => new DataView(Uint8Array.from(Buffer.concat(parts)).buffer);
    yield {
      keys: joined(all.map(({ key }) => key)),
      values: joined(all.map(({ value }) => value)),
      count: all.length,
    };
    return true;
  }

  update(entries: Iterable<readonly [K, V]>): WriteFailure<K>[] {
    const failures: WriteFailure<K>[] = [];
    for (const [key, value] of entries) {
      const failure = this.write(key, value);
      if (failure) failures.push(failure);
    }
    return failures;
  }

  delete(keys: Iterable<K>): WriteFailure<K>[] {
    for (const key of keys) this.#content.delete(identity(encodeOne(this.definition.key, key)));
    return [];
  }

  protected write(key: K, value: V): WriteFailure<K> | undefined {
    const bytes = encodeOne(this.definition.key, key);
    const id = identity(bytes);
    if (!this.#content.has(id) && this.#content.size >= this.definition.maxEntries) {
      return { key, full: true, reason: `map ${this.definition.name} is full (${this.definition.maxEntries} entries)` };
    }
    this.#content.set(id, { key: bytes, value: encodeOne(this.definition.value, value) });
    return undefined;
  }
}

/** All maps in memory; `make` selects another implementation per map. */
export function memoryMaps(
  make = <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> => new MemoryMap(definition),
): MapStores {
  return eachStored((definition) => make(definition));
}

/** Creates a store for every map with one value per key. */
export function eachStored(
  make: (definition: MapDefinition<unknown, unknown>) => MapStore<unknown, unknown>,
): MapStores {
  const stores = Object.entries(maps)
    .filter(
      ([, definition]) => !["percpu_hash", "percpu_array", "lru_percpu_hash", "sk_storage"].includes(definition.type),
    )
    .map(([name, definition]) => [name, make(definition as MapDefinition<unknown, unknown>)]);
  return Object.fromEntries(stores) as { [M in StoredMapName]: never };
}

function identity(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function decodeOne<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}
