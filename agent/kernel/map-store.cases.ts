// The behavior that every MapStore implementation must show.
import { describe, expect, test } from "vitest";
import type { MapDefinition } from "./codec.ts";
import { maps, type Settings } from "./layout.gen.ts";
import type { MapStore } from "./map-store.ts";

/** A store for this definition, empty. */
export type MakeStore = <K, V>(definition: MapDefinition<K, V>) => MapStore<K, V>;

/** Any entry of the map `settings`. */
export const settings: Settings = {
  node: "172.31.1.8",
  second: "::",
  tunnelIfindex: 3,
  uplinkIfindex: 2,
  returnMode: 1,
  policyRevision: 5,
  serviceHandling: 0,
  socketTranslation: 0,
  flags: 0,
  hostRevision: 0,
  hostNamespace: 1n,
  wireguardIfindex: 0,
  takingOverUntil: 0,
};

export function mapStoreCases(name: string, make: MakeStore): void {
  const slots = (count: number) =>
    Array.from({ length: count }, (_, index) => [{ backendList: 1, index }, index] as const);
  const web = { address: "10.96.0.10", port: 80, protocol: 6 };
  const service = {
    backendList: 7,
    backendCount: 2,
    localCount: 1,
    clusterFirst: 0,
    affinitySeconds: 0,
    flags: 0,
    sourceRanges: 0,
    tableSize: 0,
  };

  const byIndex = ([one]: [unknown, unknown], [other]: [unknown, unknown]) =>
    (one as { index: number }).index - (other as { index: number }).index;

  describe(`${name} map`, () => {
    test("lookup() returns the written value, and undefined for a missing key", () => {
      const store = make(maps.frontends);
      expect(store.update([[web, service]])).toEqual([]);
      expect(store.lookup(web)).toEqual(service);
      expect(store.lookup({ ...web, port: 81 })).toBeUndefined();
    });

    test("read() leaves out what is not wanted", () => {
      const store = make(maps.slots);
      store.update(slots(5));
      expect([...store.read(({ index }) => index > 2)].sort()).toEqual(slots(5).slice(3));
      expect([...store.read()].length).toBe(5);
    });

    test("batches() has the bytes of what read() has", () => {
      const store = make(maps.slots);
      store.update(slots(20_000));
      const { key, value } = maps.slots;
      const found: [unknown, unknown][] = [];
      for (const { keys, values, count } of store.batches?.() ?? [])
        for (let index = 0; index < count; index++)
          found.push([key.decode(keys, index * key.size), value.decode(values, index * value.size)]);
      if (store.batches) expect(found.sort(byIndex)).toEqual(slots(20_000));
    });

    test("update() replaces", () => {
      const store = make(maps.frontends);
      store.update([[web, service]]);
      store.update([[web, { ...service, backendCount: 0 }]]);
      expect(store.entries()).toEqual([[web, { ...service, backendCount: 0 }]]);
    });

    test("delete() removes, and a missing key is not a failure", () => {
      const store = make(maps.slots);
      store.update(slots(3));
      expect(store.delete([{ backendList: 9, index: 9 }, ...slots(3).map(([key]) => key)])).toEqual([]);
      expect(store.entries()).toEqual([]);
    });

    test("20,000 entries are written, read and removed", () => {
      const store = make(maps.slots);
      expect(store.update(slots(20_000))).toEqual([]);
      expect(new Set(store.entries().map(([, backend]) => backend)).size).toBe(20_000);
      expect(store.delete(slots(20_000).map(([key]) => key))).toEqual([]);
      expect(store.entries()).toEqual([]);
    });

    test("a full map reports which entries found no room and keeps the others", () => {
      const store = make({ ...maps.slots, maxEntries: 8 });
      const failures = store.update(slots(10));
      expect(failures.map((failure) => failure.full)).toEqual([true, true]);
      expect(failures[0]?.key).toEqual({ backendList: 1, index: 8 });
      expect(failures[0]?.reason).toBe("map slots is full (8 entries)");
      expect(store.entries().length).toBe(8);
    });

    test("longest-prefix keys are entries like any other", () => {
      const store = make(maps.locations);
      const block = { prefixLength: 96 + 26, address: "10.244.0.64" };
      const location = { identity: 3, flags: 4, node: "172.31.1.207" };
      store.update([[block, location]]);
      expect(store.entries()).toEqual([[block, location]]);
      store.delete([block]);
      expect(store.entries()).toEqual([]);
    });

    test("an array has all its entries from the start", () => {
      const store = make(maps.settings);
      expect(store.entries().map(([key]) => key)).toEqual([0]);
      expect(store.update([[0, settings]])).toEqual([]);
      expect(store.lookup(0)).toEqual(settings);
    });
  });
}
