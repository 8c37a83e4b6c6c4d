import { describe, expect, test } from "vitest";
import type { Entry } from "../compile/desired.ts";
import { DeltaMap } from "./delta-map.ts";

const entry = (key: number, value: string): Entry<number, string> => ({ id: String(key), key, value });
const desired = (owners: Record<string, Entry<number, string>[]>) =>
  Object.entries(owners).map(([owner, entries]) => ({ owner, entries }));
const ids = (entries: readonly { id: string }[]) => entries.map(({ id }) => id);

function loaded(...entries: [number, string][]) {
  const delta = new DeltaMap<number, string>(String);
  delta.load(entries);
  return delta;
}

describe("DeltaMap", () => {
  test("existing desired entries are left alone", () => {
    const delta = loaded([1, "same"], [2, "old"], [3, "gone"]);
    delta.setDesired(desired({ a: [entry(1, "same"), entry(2, "new"), entry(4, "added")] }));
    expect(ids(delta.pendingUpdates())).toEqual(["2", "4"]);
    expect(delta.pendingDeletions()).toEqual([{ id: "3", key: 3, value: "gone" }]);
    expect(delta.staleValues()).toMatchObject([
      { key: 2, value: "old" },
      { key: 3, value: "gone" },
    ]);
  });

  test("a written entry is no longer pending, others still are", () => {
    const delta = loaded([3, "gone"]);
    delta.setDesired(desired({ a: [entry(1, "x"), entry(2, "y")] }));
    delta.wrote(entry(1, "x"));
    delta.removed("3");
    expect(ids(delta.pendingUpdates())).toEqual(["2"]);
    expect(delta.pendingCount).toBe(1);
    expect(delta.actual("1")).toBe("x");
  });

  test("of two owners of a key the first by name has it, and the other takes over when the first is removed", () => {
    const delta = loaded();
    const b = [entry(1, "of b")];
    delta.setDesired(desired({ b, a: [entry(1, "of a")] }));
    expect(delta.pendingUpdates()).toMatchObject([{ owner: "a", value: "of a" }]);
    delta.wrote(entry(1, "of a"));
    delta.setDesired(desired({ b }));
    expect(delta.pendingUpdates()).toMatchObject([{ owner: "b", value: "of b" }]);
    expect(delta.pendingDeletions()).toEqual([]);
  });

  test("a preference takes precedence over names", () => {
    const delta = new DeltaMap<number, string>(String, (x, y) => x.length - y.length);
    delta.setDesired(desired({ a: [entry(1, "long")], b: [entry(1, "s")] }));
    expect(delta.pendingUpdates()).toMatchObject([{ owner: "b" }]);
  });

  test("an owner's new array replaces the old one", () => {
    const delta = loaded();
    delta.setDesired(desired({ a: [entry(1, "x"), entry(2, "y")] }));
    for (const item of delta.pendingUpdates()) delta.wrote(item);
    delta.setDesired(desired({ a: [entry(2, "y")] }));
    expect(ids(delta.pendingDeletions())).toEqual(["1"]);
    expect(delta.pendingUpdates()).toEqual([]);
  });

  test("a reload detects changes by other programs", () => {
    const delta = loaded();
    delta.setDesired(desired({ a: [entry(1, "x")] }));
    delta.wrote(entry(1, "x"));
    delta.load([[2, "stranger"]]);
    expect(ids(delta.pendingUpdates())).toEqual(["1"]);
    expect(ids(delta.pendingDeletions())).toEqual(["2"]);
  });

  test("an entry that a thousand owners want is not compared with all of them for each", () => {
    let compared = 0;
    const delta = new DeltaMap<number, string>(String, () => {
      compared++;
      return 0;
    });
    const owners = (count: number) =>
      desired(Object.fromEntries(Array.from({ length: count }, (_, at) => [`owner ${at}`, [entry(1, "same")]])));
    delta.setDesired(owners(1000));
    expect(delta.pendingUpdates()).toEqual([{ ...entry(1, "same"), owner: "owner 0" }]);
    delta.setDesired(owners(0));
    expect(delta.pendingCount).toBe(0);
    expect(compared).toBeLessThanOrEqual(2 * 1000 * 11);
  });
});
