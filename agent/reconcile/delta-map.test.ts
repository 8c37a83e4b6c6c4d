import { describe, expect, test } from "vitest";
import type { Entry } from "../compile/desired.ts";
import { type Codec, u32 } from "../kernel/codec.ts";
import { DeltaMap } from "./delta-map.ts";

/** Short texts of ASCII. */
const word: Codec<string> = {
  size: 12,
  encode(value, view, at) {
    for (let index = 0; index < 12; index++) view.setUint8(at + index, value.charCodeAt(index) || 0);
  },
  decode: (view, at) =>
    Buffer.from(view.buffer, view.byteOffset + at, 12)
      .toString("latin1")
      .replaceAll("\0", ""),
};
const codecs = { key: u32, value: word };

const entry = (key: number, value: string): Entry<number, string> => ({ key, value });
const desired = (owners: Record<string, Entry<number, string>[]>) =>
  Object.entries(owners).map(([owner, entries]) => ({ owner, entries }));
const keys = (entries: Iterable<Entry<number, string>>) => [...entries].map(({ key }) => key);

function loaded(...entries: [number, string][]) {
  const delta = new DeltaMap(codecs);
  delta.load(entries);
  return delta;
}

/** As if all of it had been written. */
function settle(delta: DeltaMap<number, string>): void {
  for (const record of delta.updates()) delta.wrote(record, delta.desiredOf(record).value);
  for (const record of delta.deletions()) delta.removed(record);
}

describe("DeltaMap", () => {
  test("existing desired entries are left alone", () => {
    const delta = loaded([1, "same"], [2, "old"], [3, "gone"]);
    delta.setDesired(desired({ a: [entry(1, "same"), entry(2, "new"), entry(4, "added")] }));
    expect(keys(delta.pendingUpdates())).toEqual([2, 4]);
    expect([...delta.pendingDeletions()]).toEqual([entry(3, "gone")]);
    expect([...delta.staleValues()]).toEqual([entry(2, "old"), entry(3, "gone")]);
  });

  test("a written entry is no longer pending, others still are", () => {
    const delta = loaded([3, "gone"]);
    delta.setDesired(desired({ a: [entry(1, "x"), entry(2, "y")] }));
    const [first = -1] = delta.updates();
    delta.wrote(first, "x");
    for (const record of delta.deletions()) delta.removed(record);
    expect(keys(delta.pendingUpdates())).toEqual([2]);
    expect(delta.pendingCount).toBe(1);
    expect([delta.actual(1), delta.actual(2), delta.actual(3)]).toEqual(["x", undefined, undefined]);
    expect([delta.isPending(1), delta.isPending(2)]).toEqual([false, true]);
    expect(delta.actualCount).toBe(1);
  });

  test("of two owners of a key the first by name has it, and the other takes over when the first is removed", () => {
    const delta = loaded();
    const b = [entry(1, "of b")];
    delta.setDesired(desired({ b, a: [entry(1, "of a")] }));
    expect([...delta.pendingUpdates()]).toEqual([{ ...entry(1, "of a"), owner: "a" }]);
    settle(delta);
    delta.setDesired(desired({ b }));
    expect([...delta.pendingUpdates()]).toEqual([{ ...entry(1, "of b"), owner: "b" }]);
    expect(delta.deletions()).toEqual([]);
    settle(delta);
    delta.setDesired([]);
    expect([...delta.pendingDeletions()]).toEqual([entry(1, "of b")]);
  });

  test("a preference takes precedence over names", () => {
    const delta = new DeltaMap(codecs, (x: string, y: string) => x.length - y.length);
    delta.setDesired(desired({ a: [entry(1, "long")], b: [entry(1, "s")] }));
    expect([...delta.pendingUpdates()]).toMatchObject([{ owner: "b" }]);
  });

  test("an owner's new array replaces the old one", () => {
    const delta = loaded();
    delta.setDesired(desired({ a: [entry(1, "x"), entry(2, "y")] }));
    settle(delta);
    delta.setDesired(desired({ a: [entry(2, "y")] }));
    expect(keys(delta.pendingDeletions())).toEqual([1]);
    expect(delta.updates()).toEqual([]);
  });

  test("a reload detects changes by other programs", () => {
    const delta = loaded();
    delta.setDesired(desired({ a: [entry(1, "x")] }));
    settle(delta);
    delta.load([[2, "stranger"]]);
    expect(keys(delta.pendingUpdates())).toEqual([1]);
    expect(keys(delta.pendingDeletions())).toEqual([2]);
  });

  test("an entry that a thousand owners want is not compared with all of them for each", () => {
    let compared = 0;
    const delta = new DeltaMap(codecs, () => {
      compared++;
      return 0;
    });
    const owners = (count: number) =>
      desired(Object.fromEntries(Array.from({ length: count }, (_, at) => [`owner ${at}`, [entry(1, "same")]])));
    delta.setDesired(owners(1000));
    expect([...delta.pendingUpdates()]).toEqual([{ ...entry(1, "same"), owner: "owner 0" }]);
    delta.setDesired(owners(0));
    expect(delta.pendingCount).toBe(0);
    expect(compared).toBeLessThanOrEqual(2 * 1000 * 11);
  });
});
