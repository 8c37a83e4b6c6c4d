import type { MapDefinition } from "./codec.ts";
import type { MapStore, MapStores } from "./map-store.ts";
import { MemoryMap, memoryMaps } from "./memory-map.ts";

/** Maps in memory that call `observe` after every single write, because the packet path may read at any moment. */
export function observedMaps(observe: () => void): MapStores {
  return memoryMaps(<K, V>(definition: MapDefinition<K, V>): MapStore<K, V> => new ObservedMap(definition, observe));
}

class ObservedMap<K, V> extends MemoryMap<K, V> {
  readonly #observe: () => void;

  constructor(definition: MapDefinition<K, V>, observe: () => void) {
    super(definition);
    this.#observe = observe;
  }

  override delete(keys: Iterable<K>) {
    for (const key of keys) {
      super.delete([key]);
      this.#observe();
    }
    return [];
  }

  protected override write(key: K, value: V) {
    const failure = super.write(key, value);
    this.#observe();
    return failure;
  }
}
