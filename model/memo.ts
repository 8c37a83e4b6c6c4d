import type { Steps } from "./steps.ts";

/** Remembers the result per object: as long as `key` and everything in `inputs` are the same objects, `make` is not called again. So a
 * compilation of 10,000 services costs only what changed. */
export class Memo<K extends object, R> {
  readonly #results = new WeakMap<K, { inputs: readonly unknown[]; result: R }>();

  get(key: K, inputs: readonly unknown[], make: () => R): R {
    const known = this.#results.get(key);
    if (known && sameObjects(known.inputs, inputs)) return known.result;
    const result = make();
    this.#results.set(key, { inputs, result });
    return result;
  }

  /** The same for a result that is made in parts. */
  *getting(key: K, inputs: readonly unknown[], make: () => Steps<R>): Steps<R> {
    const known = this.#results.get(key);
    if (known && sameObjects(known.inputs, inputs)) return known.result;
    const result = yield* make();
    this.#results.set(key, { inputs, result });
    return result;
  }
}

/** The same for a result without an object to attach it to: only the last one is kept. */
export class Latest<R> {
  #inputs: readonly unknown[] | undefined;
  #result: R | undefined;

  get(inputs: readonly unknown[], make: () => R): R {
    if (this.#inputs && sameObjects(this.#inputs, inputs)) return this.#result as R;
    this.#result = make();
    this.#inputs = inputs;
    return this.#result;
  }

  /** The same for a result that is made in parts. */
  *getting(inputs: readonly unknown[], make: () => Steps<R>): Steps<R> {
    if (this.#inputs && sameObjects(this.#inputs, inputs)) return this.#result as R;
    this.#result = yield* make();
    this.#inputs = inputs;
    return this.#result;
  }
}

/** Whether both are the very same objects. */
export function sameObjects(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
