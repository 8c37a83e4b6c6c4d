import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayReceive, maySend, type Party } from "../../test/model/network-policy.ts";
import { delivered, type Packet, sent } from "../../test/model/packet-path.ts";
import { parties, podAddress, type RandomCluster, randomCluster } from "../../test/model/random-cluster.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { FaultyMap } from "../kernel/faulty-map.ts";
import { POLICY_REVISION_UNSETTLED } from "../kernel/layout.gen.ts";
import type { MapStore, MapStores } from "../kernel/map-store.ts";
import { MemoryMap, memoryMaps } from "../kernel/memory-map.ts";
import { observedMaps } from "../kernel/observed-map.ts";
import { Reconciler } from "./reconciler.ts";

/** A connection as bpf/policy/judge.h remembers its verdict. */
class Connection {
  #policyRevision: number | undefined;
  #endsRevision: number | undefined;
  readonly packet: Packet;
  /** How often it was judged. */
  judged = 0;

  constructor(packet: Packet) {
    this.packet = packet;
  }

  /** Whether a packet of it passes. One that is refused is tried again as a new connection. */
  passes(maps: MapStores): boolean {
    const revision = maps.settings.lookup(0)?.policyRevision ?? 0;
    if (this.#policyRevision === revision) return true;
    const isSettled = (revision & POLICY_REVISION_UNSETTLED) === 0;
    const ends = this.#ends(maps);
    const allowed = (isSettled && ends !== 0 && ends === this.#endsRevision) || this.#judge(maps);
    this.#policyRevision = allowed ? revision : undefined;
    if (!allowed || isSettled) this.#endsRevision = allowed ? ends : undefined;
    return allowed;
  }

  #ends(maps: MapStores): number {
    const revisionOf = (address: string) => maps.endpoints.lookup(address)?.revision ?? 0;
    return (Math.imul(revisionOf(this.packet.source), 31) + revisionOf(this.packet.destination)) >>> 0;
  }

  #judge(maps: MapStores): boolean {
    this.judged++;
    const { source, destination } = this.packet;
    if (source === destination) return true;
    return (sent(maps, this.packet) ?? true) && (delivered(maps, this.packet) ?? true);
  }
}

const MOST_PODS = 6;

/** All parties, and the addresses of pods that do not exist at the moment. */
function allParties(cluster: RandomCluster): Party[] {
  const gone = Array.from({ length: MOST_PODS - cluster.pods.length }, (_, index) => cluster.pods.length + index);
  return [...parties(cluster), ...gone.map((index) => ({ address: podAddress(index) }))];
}

/** Connections of all pairs of addresses, the same ones however the cluster changes. */
class Connections {
  readonly #byPair = new Map<string, Connection>();

  constructor(cluster: RandomCluster) {
    for (const [{ address: source }, { address: destination }] of pairs(cluster)) {
      const packet = { source, destination, protocol: 6, port: 80 };
      if (source !== destination) this.#byPair.set(`${source} ${destination}`, new Connection(packet));
    }
  }

  all(): readonly Connection[] {
    return [...this.#byPair.values()];
  }

  /** Every packet passes or is dropped according to the policies of this node's pods. */
  expectRight(maps: MapStores, cluster: RandomCluster): void {
    const local = new Set(cluster.pods.flatMap((pod, index) => (pod.local ? [podAddress(index)] : [])));
    for (const [from, to] of pairs(cluster)) {
      const traffic = { from, to, protocol: "TCP", port: 80 };
      const right =
        (!local.has(from.address) || maySend(cluster.policies, traffic)) &&
        (!local.has(to.address) || mayReceive(cluster.policies, traffic));
      const connection = this.#byPair.get(`${from.address} ${to.address}`);
      if (connection)
        expect([from.address, to.address, connection.passes(maps)]).toEqual([from.address, to.address, right]);
    }
  }
}

function pairs(cluster: RandomCluster): [Party, Party][] {
  const all = allParties(cluster);
  return all.flatMap((from) => all.map((to): [Party, Party] => [from, to]));
}

/** A cluster whose pods or policies change step by step, sometimes back to a previous state. */
const history: fc.Arbitrary<RandomCluster[]> = fc
  .tuple(
    fc.array(randomCluster, { minLength: 2, maxLength: 3 }),
    fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 2, maxLength: 5 }),
  )
  .map(([drawn, steps]) => {
    const at = (index: number) => drawn[index % drawn.length] as RandomCluster;
    const { namespaceLabels } = at(0);
    // Two of three steps change pods alone.
    return steps.map(([pods, policies]) => ({
      namespaceLabels,
      pods: at(pods).pods,
      policies: at(policies === 2 ? 1 : 0).policies,
    }));
  });

describe("connections are judged again", () => {
  test("whatever changes, and whenever packets of them come meanwhile", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 7 }), (clusters, every) => {
        const connections = new Connections(clusters[0] as RandomCluster);
        const all = connections.all();
        let writes = 0;
        // Some send after a write, others not for a long time.
        const maps = observedMaps(() => {
          writes++;
          for (const [index, connection] of all.entries()) if ((index + writes) % every === 0) connection.passes(maps);
        });
        const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
        for (const cluster of clusters) {
          reconciler.sync(compiler.compile(snapshotOf(cluster)).maps);
          connections.expectRight(maps, cluster);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("also when writes fail", () => {
    fc.assert(
      fc.property(
        history,
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 1, max: 5 }),
        (clusters, every, talking) => {
          let failing = false;
          const maps = memoryMaps(
            <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
              definition.name === "settings"
                ? new MemoryMap(definition)
                : new FaultyMap(definition, (attempt) => failing && attempt % every === 0),
          );
          const connections = new Connections(clusters[0] as RandomCluster);
          const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
          for (const cluster of clusters) {
            failing = true;
            for (let attempt = 0; attempt < 3; attempt++) {
              reconciler.sync(compiler.compile(snapshotOf(cluster)).maps);
              for (const [index, connection] of connections.all().entries()) {
                if ((index + attempt) % talking !== 0) continue;
                // No better and no worse than a connection that begins now.
                expect(connection.passes(maps)).toBe(new Connection(connection.packet).passes(maps));
              }
            }
            failing = false;
            reconciler.sync(compiler.compile(snapshotOf(cluster)).maps);
            connections.expectRight(maps, cluster);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

// Revisions are numbers of content, so a policy that comes back has its previous one.
test("a connection that opened while a policy was written does not outlive that policy's end unnoticed", () => {
  const history = fc.tuple(randomCluster, randomCluster).map(([first, second]) => {
    const { namespaceLabels, pods } = first;
    return [
      { namespaceLabels, pods, policies: first.policies },
      { namespaceLabels, pods, policies: second.policies },
    ] as const;
  });
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 30 }), ([before, meanwhile], moment) => {
      let writes = 0;
      let open = new Connections(before);
      const maps = observedMaps(() => {
        if (++writes === moment) for (const connection of open.all()) connection.passes(maps);
      });
      const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
      const become = (cluster: RandomCluster) => reconciler.sync(compiler.compile(snapshotOf(cluster)).maps);
      become(before);
      writes = 0;
      open = new Connections(before);
      become(meanwhile);
      writes = moment;
      become(before);
      open.expectRight(maps, before);
    }),
    { numRuns: 200 },
  );
});
