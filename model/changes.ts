/** The differences between two versions of a list. */
export interface Changes<T> {
  readonly gone: readonly T[];
  readonly come: readonly T[];
}

/** The difference between two versions of a list without duplicates. Items are compared by identity: a changed item is another object.
 * Most versions differ in a few places, so the rest costs one comparison each. */
export function changesBetween<T extends object>(before: readonly T[], after: readonly T[]): Changes<T> {
  if (before === after) return { gone: [], come: [] };
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start++;
  let [endBefore, endAfter] = [before.length, after.length];
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--;
    endAfter--;
  }
  const gone = new Set<T>();
  const come: T[] = [];
  for (let place = start; place < Math.max(endBefore, endAfter); place++) {
    const was = place < endBefore ? before[place] : undefined;
    const is = place < endAfter ? after[place] : undefined;
    if (was === is) continue;
    if (was) gone.add(was);
    if (is) come.push(is);
  }
  return { come: come.filter((item) => !gone.delete(item)), gone: [...gone] };
}
