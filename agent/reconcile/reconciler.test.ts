import { describe, expect, test } from "vitest";
import { finish } from "../../model/steps.ts";
import { snapshotOf as policySnapshot } from "../../test/model/calico/compiled.ts";
import type { Rule } from "../../test/model/calico/objects.ts";
import { globalPolicy, smallWorld, tier } from "../../test/model/calico/small-world.ts";
import { delivered } from "../../test/model/packet-path.ts";
import type { RandomCluster } from "../../test/model/random-cluster.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { Compiler } from "../compile/compile.ts";
import type { MapDefinition } from "../kernel/codec.ts";
import { FaultyMap } from "../kernel/faulty-map.ts";
import { maps as definitions } from "../kernel/layout.gen.ts";
import type { MapStore } from "../kernel/map-store.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { EndpointGate } from "./endpoint-gate.ts";
import { Reconciler } from "./reconciler.ts";

const pod = { name: "web", namespace: "alpha", labels: { app: "web" }, http: 80, dns: undefined, local: true };
const cluster: RandomCluster = {
  namespaceLabels: { alpha: {} },
  pods: [pod],
  policies: [
    {
      metadata: { name: "only-client1", namespace: "alpha" },
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "172.31.1.55/32" } }], ports: [{ port: 80 }] }] },
    },
  ],
};
const snapshot = snapshotOf(cluster);

describe("Reconciler", () => {
  test("a restarted agent writes nothing when nothing changed", () => {
    const maps = memoryMaps();
    expect(new Reconciler(maps).sync(new Compiler().compile(snapshot).maps).written).toBeGreaterThan(5);
    expect(new Reconciler(maps).sync(new Compiler().compile(snapshot).maps)).toEqual({
      written: 0,
      changed: new Set(),
      problems: [],
      pending: 0,
    });
  });

  test("entries removed, changed or added by another program are corrected once the maps are read again", () => {
    const maps = memoryMaps();
    const reconciler = new Reconciler(maps);
    const state = new Compiler().compile(snapshot).maps;
    reconciler.sync(state);
    const [before, policies] = [maps.policies.entries(), maps.policies.entries().length];
    const [key, endpoint] = maps.endpoints.entries()[0] as [string, ReturnType<typeof maps.endpoints.lookup> & object];
    maps.policies.delete([before[0]?.[0] as (typeof before)[0][0]]);
    maps.endpoints.update([[key, { ...endpoint, policy: 0, flags: 0 }]]);
    maps.backends.update([[7, { address: "10.0.0.1", node: "::", port: 1, protocol: 6, flags: 0 }]]);
    expect(reconciler.sync(state).written).toBe(0);
    const changed = finish(reconciler.comparing());
    expect(changed.toSorted()).toEqual(["backends", "endpoints", "policies"]);
    finish(reconciler.rereading(changed));
    expect(reconciler.sync(state)).toEqual({
      written: 3,
      changed: new Set(["endpoints", "policies", "backends"]),
      problems: [],
      pending: 0,
    });
    expect(maps.policies.entries().length).toBe(policies);
    expect(maps.endpoints.lookup(key)).toEqual(endpoint);
    expect(maps.backends.entries()).toEqual([]);
  });

  test("what the packet path has counted is no change", () => {
    const maps = memoryMaps();
    const key = { interface: 7, direction: 1 };
    const limit = (cost: bigint) => {
      const entries = [{ key, value: { cost, due: 0n } }];
      return { ...new Compiler().compile(snapshot).maps, bandwidths: [{ owner: "Pod default/web", entries }] };
    };
    const reconciler = new Reconciler(maps);
    reconciler.sync(limit(800n));
    maps.bandwidths.update([[key, { cost: 800n, due: 1_000_000n }]]);
    expect(finish(reconciler.comparing())).toEqual([]);
    finish(reconciler.rereading());
    expect(reconciler.sync(limit(800n)).written).toBe(0);
    expect(new Reconciler(maps).sync(limit(800n)).written).toBe(0);
    expect(maps.bandwidths.lookup(key)).toEqual({ cost: 800n, due: 1_000_000n });
    expect(reconciler.sync(limit(80n)).written).toBe(1);
    expect(maps.bandwidths.lookup(key)).toEqual({ cost: 80n, due: 0n });
  });

  test("a restarted agent removes entries that are no longer desired", () => {
    const maps = memoryMaps();
    new Reconciler(maps).sync(new Compiler().compile(snapshot).maps);
    const empty = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });
    new Reconciler(maps).sync(new Compiler().compile(empty).maps);
    expect(maps.endpoints.entries()).toEqual([]);
    expect(maps.interfaces.entries()).toEqual([]);
    expect(maps.policies.entries()).toEqual([]);
  });

  test("no endpoint before its policy: a full policy map keeps the endpoint out, and the report names the owner", async () => {
    let full = true;
    const maps = memoryMaps(
      <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
        new FaultyMap(definition, () => full && definition.name === definitions.policies.name),
    );
    const reconciler = new Reconciler(maps);
    const gate = new EndpointGate(reconciler.deltas);
    const endpoint = { address: "10.244.0.1", ifindex: 100 };
    let ready = false;
    const waiting = gate.endpointReady(endpoint).then(() => {
      ready = true;
    });
    const state = new Compiler().compile(snapshot).maps;

    const report = reconciler.sync(state);
    gate.settle();
    await Promise.resolve();
    expect(ready).toBe(false);
    expect(maps.endpoints.entries()).toEqual([]);
    expect(report.problems[0]?.owner).toMatch(/^NetworkPolicy alpha\/only-client1/);
    // Everything that does not depend on the policy is written.
    expect(maps.locations.lookup({ prefixLength: 128, address: "172.31.1.8" })).toBeDefined();

    full = false;
    expect(reconciler.sync(state)).toMatchObject({ problems: [], pending: 0 });
    gate.settle();
    await waiting;
    expect(ready).toBe(true);
  });

  test("a full policy map keeps the last good version of policies, of pods and of the node, until there is room", () => {
    let full = false;
    const maps = memoryMaps(
      <K, V>(definition: MapDefinition<K, V>): MapStore<K, V> =>
        new FaultyMap(definition, () => full && definition.name === definitions.policies.name),
    );
    const reconciler = new Reconciler(maps);
    const compiler = new Compiler();
    const version = (...ingress: Rule[]) => {
      const spec = { tier: "early", types: ["Ingress" as const], ingress };
      const world = smallWorld({
        tiers: [tier("early", 100)],
        hostEndpoints: [{ metadata: { name: "host" }, spec: { node: "master", interfaceName: "eth0" } }],
        globalNetworkPolicies: [globalPolicy("all", spec)],
      });
      return reconciler.sync(compiler.compile(policySnapshot(world)).maps);
    };
    const from = (source: string) => delivered(maps, { source, destination: "10.244.0.1", protocol: 6, port: 80 });
    const judged = () => [maps.endpoints.lookup("10.244.0.1"), maps.hostEndpoints.entries()];
    const allow: Rule = { action: "Allow" };
    // Whom the old version refuses, the new one does not even mention.
    expect(version({ action: "Deny", source: { nets: ["172.31.1.55/32"] } }, allow)).toMatchObject({ pending: 0 });
    const [good, entries] = [judged(), maps.policies.entries()];
    expect([from("172.31.1.55"), from("8.8.8.8")]).toEqual([false, true]);

    full = true;
    const { problems } = version({ action: "Deny", source: { nets: ["172.31.0.0/16"] } }, allow);
    expect(problems.map(({ map, owner }) => `${map} ${owner}`)).toContainEqual(
      expect.stringMatching(/^policies GlobalNetworkPolicy all/),
    );
    expect(judged()).toEqual(good);
    expect(maps.policies.entries()).toEqual(expect.arrayContaining(entries));
    expect([from("172.31.1.55"), from("172.31.1.162"), from("8.8.8.8")]).toEqual([false, true, true]);

    full = false;
    const last = version({ action: "Deny", source: { nets: ["172.31.0.0/16"] } }, allow);
    expect(last).toMatchObject({ problems: [], pending: 0 });
    expect([from("172.31.1.55"), from("172.31.1.162"), from("8.8.8.8")]).toEqual([false, false, true]);
  });

  test("endpointReady() gives up when its caller does", async () => {
    const gate = new EndpointGate(new Reconciler(memoryMaps()).deltas);
    const reason = new Error("kubelet no longer waits");
    const signal = AbortSignal.abort(reason);
    const controller = new AbortController();
    const waiting = gate.endpointReady({ address: "10.244.0.9", ifindex: 9 }, controller.signal);
    controller.abort(signal.reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
