/** Work in short parts, so that other work can run in between: health, CNI, other changes. The work itself reads no clock; its caller
 * decides how many parts run in a row (agent/process/slices.ts). */
export type Steps<R> = Generator<void, R, void>;

/** How many items of a list are one part: well below a millisecond where an item is a few comparisons. */
const PART = 256;

/** Runs all parts, for tests and for programs without other work. */
export function finish<R>(steps: Steps<R>): R {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Work that is one part. */
export function* atOnce<R>(work: () => R): Steps<R> {
  const result = work();
  yield;
  return result;
}

/** `work` for each item, in parts. */
export function* each<T>(items: Iterable<T>, work: (item: T) => void, part = PART): Steps<void> {
  let count = 0;
  for (const item of items) {
    work(item);
    if (++count % part === 0) yield;
  }
}
