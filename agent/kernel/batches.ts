import { E2BIG, EINVAL, ENOSPC, ENOTSUPP, EOPNOTSUPP } from "./libbpf.ts";
import { FULL_IN_A_ROW } from "./map-store.ts";

/** Entries per system call. */
export const BATCH = 4096;

/** One call for the entries of an encoded batch starting at `at`: for all of them (`done` receives how many were written) or for one
 * entry. */
export type Attempt = (at: number, many: boolean, done: Uint32Array) => number;

// Entries are encoded once, a batch at a time. A batch stops at its first failure and reports how many it wrote: record that
// entry and continue after it. For a map without batch operations, write one entry at a time.
export function write(
  total: number,
  encode: (first: number, count: number) => Attempt,
): { index: number; code: number }[] {
  const failures: { index: number; code: number }[] = [];
  let batches = true;
  let refused = 0;
  for (let first = 0; first < total; first += BATCH) {
    const count = Math.min(BATCH, total - first);
    const attempt = encode(first, count);
    for (let at = 0; at < count; ) {
      const many = batches && count - at > 1;
      const done = Uint32Array.of(count - at);
      const result = attempt(at, many, done);
      const written = result >= 0 ? (many ? count - at : 1) : many ? (done[0] as number) : 0;
      at += written;
      if (written > 0) refused = 0;
      if (result >= 0) continue;
      if (many && written === 0 && noBatch(result)) {
        batches = false;
        continue;
      }
      failures.push({ index: first + at, code: result });
      at++;
      if (!isFull(result) || ++refused < FULL_IN_A_ROW) continue;
      for (let index = first + at; index < total; index++) failures.push({ index, code: result });
      return failures;
    }
  }
  return failures;
}

/** Whether a map refused an entry because it is full. */
export function isFull(code: number): boolean {
  return code === -E2BIG || code === -ENOSPC;
}

/** Whether the map or the kernel does not support batches. */
export function noBatch(result: number): boolean {
  return result === -EINVAL || result === -ENOTSUPP || result === -EOPNOTSUPP;
}
