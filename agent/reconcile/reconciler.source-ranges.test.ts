import fc from "fast-check";
import { expect, test } from "vitest";
import { type Service, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import type { ClusterSnapshot } from "../compile/snapshot.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { FaultyMap } from "../kernel/faulty-map.ts";
import type { MapStore, MapStores } from "../kernel/map-store.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { observedMaps } from "../kernel/observed-map.ts";
import { Reconciler } from "./reconciler.ts";

// The sources that a load balancer's address admits, checked after every single write.

const ADDRESS = "198.51.100.7";
const ranges = fc.uniqueArray(fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "172.16.0.0/12", "192.0.2.0/24"), {
  maxLength: 4,
});

function snapshot(loadBalancerSourceRanges: readonly string[], backends = 0): ClusterSnapshot {
  const balanced = service.parse({
    metadata: { name: "web", namespace: "default" },
    spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.10"], loadBalancerSourceRanges, ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: [{ ip: ADDRESS }] } },
  });
  const slice = endpointSlice.parse({
    metadata: { name: "web", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ port: 8080 }],
    endpoints: Array.from({ length: backends }, (_, index) => ({
      ...{ addresses: [`10.244.0.${index}`], nodeName: "node", conditions: { ready: true } },
    })),
  });
  const empty = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });
  return { ...empty, services: [balanced], endpointSlices: [slice] };
}

/** "everybody", or the admitted ranges; undefined: the address is not served. */
function admitted({ frontends, sourceRanges }: MapStores): string | undefined {
  const frontend = frontends.lookup({ address: ADDRESS, port: 80, protocol: 6 });
  if (!frontend) return undefined;
  if (frontend.sourceRanges === 0) return "everybody";
  const set = sourceRanges.entries().filter(([key]) => key.set === frontend.sourceRanges);
  return text(set.map(([{ client, prefixLength }]) => `${client}/${prefixLength - 128}`));
}

const text = (list: readonly string[]) => [...list].sort().join(" ");
const asked = (list: readonly string[]) => text(list) || "everybody";

test("while a list changes, the old one is in force or the new one", () => {
  fc.assert(
    fc.property(fc.array(ranges, { minLength: 1, maxLength: 6 }), (history) => {
      const seen = new Set<string | undefined>();
      const maps: MapStores = observedMaps(() => seen.add(admitted(maps)));
      const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
      let last: string | undefined;
      for (const list of history) {
        seen.clear();
        reconciler.sync(compiler.compile(snapshot(list)).maps);
        for (const one of seen) expect([last, asked(list)]).toContain(one);
        last = asked(list);
        expect(admitted(maps)).toBe(last);
        expect(maps.sourceRanges.entries()).toHaveLength(list.length);
      }
    }),
    { numRuns: 200 },
  );
});

test("when ranges cannot be written, fewer sources are admitted, never more", () => {
  fc.assert(
    fc.property(fc.array(ranges, { minLength: 2, maxLength: 5 }), fc.integer({ min: 2, max: 5 }), (history, every) => {
      const maps = memoryMaps(
        <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
          new FaultyMap(definition, (attempt) => definition.name === "source_ranges" && attempt % every === 0),
      );
      const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
      for (const list of history) {
        reconciler.sync(compiler.compile(snapshot(list)).maps);
        const now = admitted(maps);
        if (asked(list) === "everybody") expect(now).toBe("everybody");
        else for (const range of now?.split(" ").filter(Boolean) ?? []) expect(list).toContain(range);
      }
    }),
    { numRuns: 200 },
  );
});

test("a list is in force although the service's new backends find no room", () => {
  let full = false;
  const maps = memoryMaps(
    <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
      new FaultyMap(definition, () => full && definition.name === "slots"),
  );
  const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
  reconciler.sync(compiler.compile(snapshot([])).maps);
  full = true;
  const report = reconciler.sync(compiler.compile(snapshot(["10.0.0.0/8"], 3)).maps);
  expect(report.problems).toMatchObject([{ map: "slots" }]);
  expect(admitted(maps)).toBe("10.0.0.0/8");
  expect(maps.frontends.lookup({ address: ADDRESS, port: 80, protocol: 6 })?.backendCount).toBe(0);
  full = false;
  expect(reconciler.sync(compiler.compile(snapshot(["10.0.0.0/8"], 3)).maps)).toMatchObject({ pending: 0 });
  expect(maps.frontends.lookup({ address: ADDRESS, port: 80, protocol: 6 })?.backendCount).toBe(3);
});

test("a list whose number collides with another's never admits the other's sources", () => {
  // Both texts have the same hash (found by search).
  const [victim, attacker] = ["10.39.119.6/32", "10.46.56.0/32"];
  for (const [first, second] of [
    [victim, attacker],
    [attacker, victim],
  ] as const) {
    const seen = new Set<string | undefined>();
    const maps: MapStores = observedMaps(() => seen.add(admitted(maps)));
    const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
    const other = { ...snapshot([second]).services[0], metadata: { name: "other", namespace: "default" } };
    const elsewhere = { loadBalancer: { ingress: [{ ip: "198.51.100.8", ipMode: undefined }] } };
    const alone = snapshot([first]);
    const both = { ...alone, services: [...alone.services, { ...other, status: elsewhere } as Service] };
    for (const state of [alone, both, alone, both, alone]) {
      for (let round = 0; round < 3; round++) reconciler.sync(compiler.compile(state).maps);
      expect(reconciler.sync(compiler.compile(state).maps)).toMatchObject({ pending: 0 });
    }
    seen.delete(undefined); // before the address is served
    seen.delete(""); // a set that lacks its entry
    expect([...seen]).toEqual([first]);
  }
});
