import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { node, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { mayReceive, maySend, type Party } from "../../test/model/network-policy.ts";
import { delivered, sent } from "../../test/model/packet-path.ts";
import { parties, podAddress, type RandomCluster, randomCluster } from "../../test/model/random-cluster.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import { entriesOf } from "../compile/desired.ts";
import type { ClusterSnapshot } from "../compile/snapshot.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { FaultyMap } from "../kernel/faulty-map.ts";
import type { MapStore, MapStores } from "../kernel/map-store.ts";
import { MemoryMap, memoryMaps } from "../kernel/memory-map.ts";
import { observedMaps } from "../kernel/observed-map.ts";
import { Reconciler } from "./reconciler.ts";

interface RandomService {
  name: string;
  backends: { host: number; ready: boolean; node: string }[];
  local: boolean;
}
const backend = fc.record({ host: fc.nat(5), ready: fc.boolean(), node: fc.constantFrom("master", "node") });
const services: fc.Arbitrary<RandomService[]> = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("a", "b", "c"),
    backends: fc.array(backend, { maxLength: 5 }),
    local: fc.boolean(),
  }),
  { selector: ({ name }) => name },
);

const facts = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }).facts;

function serviceSnapshot(list: RandomService[]): ClusterSnapshot {
  const nodes = [
    ["master", "172.31.1.8"],
    ["node", "172.31.1.207"],
  ].map(([name, address]) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } }),
  );
  return {
    ...snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }),
    facts,
    nodes,
    services: list.map(({ name, local }) =>
      service.parse({
        metadata: { name, namespace: "default" },
        spec: {
          type: "NodePort",
          clusterIPs: [`10.96.0.${1 + "abc".indexOf(name)}`],
          externalTrafficPolicy: local ? "Local" : "Cluster",
          ports: [{ port: 80, nodePort: 30000 + "abc".indexOf(name) }],
        },
      }),
    ),
    endpointSlices: list.map(({ name, backends }) =>
      endpointSlice.parse({
        metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        ports: [{ port: 8080 }],
        endpoints: backends.map(({ host, ready, node: nodeName }) => ({
          addresses: [`10.244.0.${host}`],
          nodeName,
          conditions: { ready, serving: true, terminating: !ready },
        })),
      }),
    ),
  };
}

/** What a packet would find broken: a missing slot that is counted, a slot without a backend. */
function brokenServices({ frontends, slots, backends }: MapStores): string[] {
  return frontends.entries().flatMap(([key, { backendList, backendCount }]) =>
    Array.from({ length: backendCount }, (_, index) => {
      const chosen = slots.lookup({ backendList, index });
      if (chosen === undefined) return [`${key.address}:${key.port} counts slot ${index}, which is missing`];
      return backends.lookup(chosen) ? [] : [`slot ${index} of ${key.address}:${key.port} names no backend`];
    }).flat(),
  );
}

describe("writeOrder", () => {
  test("no packet ever meets a service whose slots or backends are not written", () => {
    fc.assert(
      fc.property(fc.array(services, { minLength: 1, maxLength: 6 }), (history) => {
        let broken: string[] = [];
        const maps = observedMaps(() => {
          if (broken.length === 0) broken = brokenServices(maps);
        });
        const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
        for (const list of history) reconciler.sync(compiler.compile(serviceSnapshot(list)).maps);
        expect(broken).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  test("the same holds when writes fail at random, and the maps are complete once writes succeed again", () => {
    fc.assert(
      fc.property(
        fc.array(services, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 2, max: 7 }),
        (history, every) => {
          let failing = true;
          const maps = memoryMaps(
            <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
              new FaultyMap(definition, (attempt) => failing && attempt % every === 0),
          );
          const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
          for (const list of history) {
            const report = reconciler.sync(compiler.compile(serviceSnapshot(list)).maps);
            expect(brokenServices(maps)).toEqual([]);
            for (const problem of report.problems)
              expect(problem.owner).toMatch(/^(Service|Node|loopback|broadcast|IPPool|settings|\(no longer desired\))/);
          }
          failing = false;
          const last = compiler.compile(serviceSnapshot(history.at(-1) ?? [])).maps;
          expect(reconciler.sync(last)).toMatchObject({ problems: [], pending: 0 });
          expect(reconciler.sync(last).written).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("while writes fail the revision differs from every desired one, changes with each write, and ends at the desired one", () => {
    fc.assert(
      fc.property(randomCluster, randomCluster, fc.integer({ min: 2, max: 9 }), (before, changed, every) => {
        const after = { ...before, policies: changed.policies };
        let failing = false;
        const maps = memoryMaps(
          <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
            definition.name === "settings"
              ? new MemoryMap(definition)
              : new FaultyMap(definition, (attempt) => failing && attempt % every !== 0),
        );
        const revision = () => maps.settings.lookup(0)?.policyRevision;
        // A flow's verdict depends on this, and on the policies, which never change under their number.
        const judging = () =>
          JSON.stringify([
            maps.endpoints.entries().map(([address, { policy, flags }]) => [address, policy, flags]),
            maps.locations.entries().map(([key, { identity }]) => [key, identity]),
          ]);
        const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
        reconciler.sync(compiler.compile(snapshotOf(before)).maps);
        const snapshot = snapshotOf(after);
        const desired = () => compiler.compile(snapshot).maps;
        const [settings] = entriesOf(new Compiler().compile(snapshot).maps.settings);
        const wanted = settings?.value.policyRevision;
        failing = true;
        // By the content of the maps: flows judged under one content are judged again under another.
        const seen = new Map<unknown, string>();
        for (let attempt = 0; attempt < 200; attempt++) {
          if (attempt === 100) failing = false;
          const { pending } = reconciler.sync(desired());
          const content = seen.get(revision()) ?? judging();
          expect(judging()).toBe(content);
          seen.set(revision(), content);
          if (pending === 0) break;
        }
        failing = false;
        expect(revision()).toBe(wanted);
        expect(reconciler.sync(desired())).toMatchObject({ written: 0, problems: [], pending: 0 });
      }),
      { numRuns: 200 },
    );
  });

  test("at every moment of a change each traffic is judged as before it or as after it", () => {
    fc.assert(
      fc.property(randomCluster, randomCluster, (before, changed) => {
        // The same pods under other policies: their addresses keep their meaning throughout.
        const after = { ...before, policies: changed.policies };
        const local = new Set(before.pods.flatMap((pod, index) => (pod.local ? [podAddress(index)] : [])));
        const cases = [...pairs(before)].flatMap(([from, to]) => {
          const traffic = { from, to, protocol: "TCP", port: 80 };
          const packet = { source: from.address, destination: to.address, protocol: 6, port: 80 };
          const row = (judge: typeof mayReceive, ask: typeof delivered) => ({
            packet,
            ask,
            right: [judge(before.policies, traffic), judge(after.policies, traffic)],
          });
          return [
            ...(local.has(to.address) ? [row(mayReceive, delivered)] : []),
            ...(local.has(from.address) ? [row(maySend, sent)] : []),
          ];
        });
        let wrong: unknown[] = [];
        let watching = false;
        const maps = observedMaps(() => {
          if (!watching || wrong.length > 0) return;
          wrong = cases.filter(({ packet, ask, right }) => !right.includes(ask(maps, packet) as boolean));
        });
        const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
        reconciler.sync(compiler.compile(snapshotOf(before)).maps);
        watching = true;
        reconciler.sync(compiler.compile(snapshotOf(after)).maps);
        expect(wrong).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

function* pairs(cluster: RandomCluster): Iterable<[Party, Party]> {
  const everybody = parties(cluster);
  for (const from of everybody) for (const to of everybody) yield [from, to];
}
