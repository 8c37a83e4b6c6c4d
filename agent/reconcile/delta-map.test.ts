import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../model/steps.ts";
import type { Entry } from "../compile/desired.ts";
import { type Codec, type MapDefinition, u32 } from "../kernel/codec.ts";
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
  finish(delta.loading(entries));
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

  test.each(["a", "b"])(
    "what could not be set leaves nothing behind, whether it takes the place of %s or not",
    (owner) => {
      const delta = loaded([1, "a's"], [2, "b's"], [3, "gone"]);
      const good = { a: [entry(1, "a's"), entry(4, "both's")], b: [entry(2, "b's"), entry(4, "both's")] };
      delta.setDesired(desired(good));
      settle(delta);
      const bad = { ...good, [owner]: [entry(1, "claimed"), entry(5, "claimed"), entry(6, undefined as never)] };
      for (let time = 0; time < 2; time++) expect(() => delta.setDesired(desired(bad))).toThrow(TypeError);
      delta.setDesired(desired(good));
      expect([keys(delta.pendingUpdates()), [...delta.pendingDeletions()]]).toEqual([[], []]);
      delta.setDesired([]);
      expect(keys(delta.pendingDeletions()).sort()).toEqual([1, 2, 4]);
      settle(delta);
      delta.setDesired(desired({ c: [entry(5, "later")] }));
      expect([...delta.pendingUpdates()]).toEqual([{ owner: "c", ...entry(5, "later") }]);
    },
  );

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
    finish(delta.loading([[2, "stranger"]]));
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

  // Few keys, owners and values, so that they meet. `write`: how many of the pending entries are written, the rest fails.
  const round = fc.record({
    wanted: fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(4), fc.constantFrom("x", "y", "z")), { maxLength: 6 }),
    write: fc.nat(6),
    stranger: fc.option(fc.tuple(fc.nat(4), fc.constantFrom("x", "s")), { freq: 6 }),
  });
  test("both sides are as in two maps, whatever is wanted, written, refused and changed by others", () => {
    fc.assert(
      fc.property(fc.array(round, { maxLength: 8 }), (rounds) => {
        const delta = loaded([0, "x"], [9, "left"]);
        let actual = new Map([
          [0, "x"],
          [9, "left"],
        ]);
        for (const { wanted, write, stranger } of rounds) {
          const desiredNow = new Map<number, string>();
          for (const [, key, value] of wanted.toSorted(([a], [b]) => (a < b ? -1 : 1)))
            if (!desiredNow.has(key)) desiredNow.set(key, value);
          const owned = Map.groupBy(
            wanted.filter(([owner, key], at) => wanted.findIndex(([o, k]) => o === owner && k === key) === at),
            ([owner]) => owner,
          );
          delta.setDesired(
            [...owned].map(([owner, all]) => ({ owner, entries: all.map(([, key, value]) => entry(key, value)) })),
          );
          if (stranger) {
            actual = new Map(actual).set(...stranger);
            finish(delta.loading(actual));
          }
          const late = [...desiredNow].filter(([key, value]) => actual.get(key) !== value);
          expect(new Map([...delta.pendingUpdates()].map(({ key, value }) => [key, value]))).toEqual(new Map(late));
          const gone = [...actual].filter(([key]) => !desiredNow.has(key));
          expect(new Map([...delta.pendingDeletions()].map(({ key, value }) => [key, value]))).toEqual(new Map(gone));
          for (let key = 0; key < 10; key++) expect(delta.actual(key)).toBe(actual.get(key));
          for (const record of delta.updates().slice(0, write)) {
            // The second half as something else, which stays pending.
            const value = record % 2 ? delta.desiredOf(record).value : "other";
            actual.set(delta.keyOf(record), value);
            delta.wrote(record, value);
          }
          for (const record of delta.deletions().slice(0, write)) {
            actual.delete(delta.keyOf(record));
            delta.removed(record);
          }
          expect(delta.actualCount).toBe(actual.size);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a comparison with the map", () => {
  /** A map of which `meanwhile` is called before the nth entry is read. */
  function compared(delta: DeltaMap<number, string>, content: [number, string][], meanwhile: () => void = () => {}) {
    const found = new Map(content);
    const map = {
      definition: codecs as MapDefinition<number, string>,
      *read() {
        const read = [...found];
        meanwhile();
        yield* read;
      },
      lookup: (key: number) => found.get(key),
    };
    return { found, differs: () => finish(delta.comparing(map)) };
  }
  const content: [number, string][] = [
    [1, "a"],
    [2, "b"],
  ];

  test("finds an entry that another program has added, removed or changed, and nothing else", () => {
    const delta = loaded(...content);
    delta.setDesired(desired({ a: [entry(1, "a"), entry(2, "other"), entry(3, "waits")] }));
    expect(compared(delta, content).differs()).toBe(false);
    expect(compared(delta, [...content, [4, "d"]]).differs()).toBe(true);
    expect(compared(delta, [...content, [3, "waits"]]).differs()).toBe(true);
    expect(compared(delta, [[1, "a"]]).differs()).toBe(true);
    expect(
      compared(delta, [
        [1, "a"],
        [2, "other"],
      ]).differs(),
    ).toBe(true);
    expect(
      compared(delta, [
        [1, "z"],
        [2, "b"],
      ]).differs(),
    ).toBe(true);
  });

  test("takes what is written meanwhile for the work of its own program", () => {
    const delta = loaded(...content);
    delta.setDesired(desired({ a: [entry(1, "new"), entry(3, "added")] }));
    const map = compared(delta, content, () => {
      for (const record of delta.updates()) {
        const { key, value } = delta.desiredOf(record);
        map.found.set(key, value);
        delta.wrote(record, value);
      }
      for (const record of delta.deletions()) {
        map.found.delete(delta.keyOf(record));
        delta.removed(record);
      }
    });
    expect(map.differs()).toBe(false);
    expect([...map.found]).toEqual([
      [1, "new"],
      [3, "added"],
    ]);
    map.found.set(3, "changed");
    expect(compared(delta, [...map.found]).differs()).toBe(true);
  });
});
