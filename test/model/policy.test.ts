import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Compiler } from "../../agent/compile/compile.ts";
import type { MapStores } from "../../agent/kernel/map-store.ts";
import { memoryMaps } from "../../agent/kernel/memory-map.ts";
import { Reconciler } from "../../agent/reconcile/reconciler.ts";
import { mayReceive, maySend, type Party, type Policy, type Traffic } from "./network-policy.ts";
import { delivered, type Packet, sent } from "./packet-path.ts";
import { parties, podAddress, type RandomCluster, randomCluster } from "./random-cluster.ts";
import { snapshotOf } from "./random-snapshot.ts";

const protocols = { TCP: 6, UDP: 17, ICMP: 1 };
const ports = [1, 53, 80, 443, 999, 1000, 1053, 1500, 2100, 8080, 65535];

/** All relevant traffic. */
function* traffic(cluster: RandomCluster): Iterable<Traffic> {
  const all = parties(cluster);
  for (const from of all) {
    for (const to of all) {
      for (const port of ports) {
        yield { from, to, protocol: "TCP", port };
        yield { from, to, protocol: "UDP", port };
      }
      yield { from, to, protocol: "ICMP", port: 0 };
    }
  }
}

function packetOf({ from, to, protocol, port }: Traffic): Packet {
  return { source: from.address, destination: to.address, protocol: protocols[protocol as "TCP"], port };
}

/** Differences between maps and model, as text. */
function disagreements(maps: MapStores, cluster: RandomCluster, local: ReadonlySet<string>): string[] {
  const rows: string[] = [];
  const compare = (direction: string, party: Party, expected: boolean, actual: boolean | undefined, item: Traffic) => {
    if (!local.has(party.address) || expected === actual) return;
    const what = `${item.from.address} -> ${item.to.address} ${item.protocol} ${item.port}`;
    rows.push(`${direction} of ${what}: model ${expected}, maps ${actual}`);
  };
  for (const item of traffic(cluster)) {
    compare("receipt", item.to, mayReceive(cluster.policies, item), delivered(maps, packetOf(item)), item);
    compare("sending", item.from, maySend(cluster.policies, item), sent(maps, packetOf(item)), item);
  }
  return rows;
}

function localAddresses({ pods }: RandomCluster): ReadonlySet<string> {
  return new Set(pods.flatMap((pod, index) => (pod.local ? [podAddress(index)] : [])));
}

describe("compiled policies", () => {
  test("judge all traffic as the API documentation specifies", () => {
    fc.assert(
      fc.property(randomCluster, (cluster) => {
        const maps = memoryMaps();
        const report = new Reconciler(maps).sync(new Compiler().compile(snapshotOf(cluster)).maps);
        expect(report).toMatchObject({ problems: [], pending: 0 });
        expect(disagreements(maps, cluster, localAddresses(cluster))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("do not depend on previous compilations and writes", () => {
    fc.assert(
      fc.property(fc.array(randomCluster, { minLength: 2, maxLength: 4 }), (clusters) => {
        const [compiler, maps] = [new Compiler(), memoryMaps()];
        const reconciler = new Reconciler(maps);
        for (const cluster of clusters) {
          const snapshot = snapshotOf(cluster);
          reconciler.sync(compiler.compile(snapshot).maps);
          const fresh = memoryMaps();
          new Reconciler(fresh).sync(new Compiler().compile(snapshot).maps);
          for (const name of ["policies", "locations", "endpoints", "interfaces", "settings"] as const) {
            expect(content(maps, name)).toEqual(content(fresh, name));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("SCTP alone in a rule allows SCTP and nothing else", () => {
    const policy: Policy = {
      metadata: { name: "sctp", namespace: "alpha" },
      spec: { podSelector: {}, ingress: [{ ports: [{ protocol: "SCTP", port: 80 }] }] },
    };
    const pod = { name: "pod-0", namespace: "alpha", labels: {}, http: undefined, dns: undefined, local: true };
    const cluster = { namespaceLabels: { alpha: {} }, pods: [pod], policies: [policy] };
    const maps = memoryMaps();
    const state = new Compiler().compile(snapshotOf(cluster));
    new Reconciler(maps).sync(state.maps);
    const ends = { source: "8.8.8.8", destination: "10.244.0.1", port: 80 };
    expect([6, 17, 132].filter((protocol) => delivered(maps, { ...ends, protocol }))).toEqual([132]);
    expect(delivered(maps, { ...ends, protocol: 132, port: 81 })).toBe(false);
    expect(state.problems).toEqual([]);
  });
});

function content(maps: MapStores, name: "policies" | "locations" | "endpoints" | "interfaces" | "settings") {
  return maps[name]
    .entries()
    .map((entry) => JSON.stringify(entry, (_, value) => (typeof value === "bigint" ? String(value) : value)))
    .sort();
}
