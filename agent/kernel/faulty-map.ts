import type { MapDefinition } from "./codec.ts";
import type { WriteFailure } from "./map-store.ts";
import { MemoryMap } from "./memory-map.ts";

/** A map in memory that fails chosen writes, to test how the agent handles that. */
export class FaultyMap<K, V> extends MemoryMap<K, V> {
  readonly #fails: (attempt: number) => boolean;
  #attempts = 0;

  /** `fails` is called with 1, 2, 3 … for each entry written or deleted. */
  constructor(definition: MapDefinition<K, V>, fails: (attempt: number) => boolean) {
    super(definition);
    this.#fails = fails;
  }

  override delete(keys: Iterable<K>): WriteFailure<K>[] {
    const failures: WriteFailure<K>[] = [];
    for (const key of keys) {
      const failure = this.#injected(key);
      if (failure) failures.push(failure);
      else super.delete([key]);
    }
    return failures;
  }

  protected override write(key: K, value: V): WriteFailure<K> | undefined {
    return this.#injected(key) ?? super.write(key, value);
  }

  #injected(key: K): WriteFailure<K> | undefined {
    this.#attempts++;
    return this.#fails(this.#attempts)
      ? { key, full: false, reason: `write ${this.#attempts} was made to fail` }
      : undefined;
  }
}
