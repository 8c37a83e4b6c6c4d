import { describe, expect, test } from "vitest";
import { bgpConfiguration } from "../../model/objects/bgp/configuration.ts";
import { pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { delivered } from "../../test/model/packet-path.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { LocationFlag } from "../kernel/layout.gen.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

const web = { name: "web", namespace: "alpha", labels: {}, http: 80, dns: undefined, local: true };
const empty = snapshotOf({ namespaceLabels: { alpha: {} }, pods: [web], policies: [] });

function mapsFor(snapshot: ClusterSnapshot) {
  const maps = memoryMaps();
  new Reconciler(maps).sync(new Compiler().compile(snapshot).maps);
  return maps;
}

describe("Compiler", () => {
  test("an endpoint is not given to another pod of its name", () => {
    const [endpoint] = empty.endpoints;
    const withUid = (uid: string) => ({
      ...empty,
      endpoints: endpoint ? [{ ...endpoint, uid }] : [],
      pods: empty.pods.map((item) => ({ ...item, metadata: { ...item.metadata, uid: "new" } })),
    });
    expect(mapsFor(withUid("old")).endpoints.entries()).toEqual([]);
    expect(mapsFor(withUid("new")).endpoints.entries().length).toBe(1);
  });

  test("numbers of identities and policies depend on the node's salt", () => {
    const only = networkPolicy.parse({
      metadata: { name: "only", namespace: "alpha" },
      spec: { ingress: [{ from: [{ podSelector: {} }] }] },
    });
    const keysFor = (salt: string) =>
      mapsFor({ ...empty, networkPolicies: [only], facts: { ...empty.facts, salt } })
        .policies.entries()
        .map(([{ policy, identity }]) => ({ policy, identity }));
    const [[first], [second]] = [keysFor("a"), keysFor("b")];
    expect(keysFor("a")).toEqual([first]);
    expect(second?.policy).not.toBe(first?.policy);
    expect(second?.identity).not.toBe(first?.identity);
  });

  test("the kubelet knows a static pod by the hash of its file", () => {
    const [endpoint] = empty.endpoints;
    const annotations = { "kubernetes.io/config.hash": "file" };
    const pods = empty.pods.map((item) => ({ ...item, metadata: { ...item.metadata, uid: "mirror", annotations } }));
    const maps = mapsFor({ ...empty, pods, endpoints: endpoint ? [{ ...endpoint, uid: "file" }] : [] });
    expect(maps.endpoints.entries().length).toBe(1);
  });

  test("an address that came back from a pod still listed is not that pod's", () => {
    const [endpoint] = empty.endpoints;
    const reused = endpoint ? [{ ...endpoint, pod: "not-known-yet" }] : [];
    expect(mapsFor({ ...empty, endpoints: reused }).endpoints.entries()).toEqual([]);
  });

  test("a policy for all of IPv6 does not affect IPv4", () => {
    const policy = networkPolicy.parse({
      metadata: { name: "six", namespace: "alpha" },
      spec: { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "::/0" } }] }] },
    });
    const maps = mapsFor({ ...empty, networkPolicies: [policy] });
    const from = (source: string) => delivered(maps, { source, destination: "10.244.0.1", protocol: 6, port: 80 });
    expect(from("2001:db8::1")).toBe(true);
    expect(from("8.8.8.8")).toBe(false);
    expect(from("172.31.1.8")).toBe(false);
  });

  test("an announced network as wide as all of IPv6 does not affect IPv4", () => {
    const spec = { serviceExternalIPs: [{ cidr: "0.0.0.0/0" }, { cidr: "::/0" }] };
    const configuration = bgpConfiguration.parse({ metadata: { name: "default" }, spec });
    const written = mapsFor({ ...empty, bgpConfigurations: [configuration] }).locations.entries();
    const flags = new Map(
      written.map(([{ address, prefixLength }, place]) => [`${address}/${prefixLength}`, place.flags]),
    );
    expect(flags.get("::/0")).toBe(LocationFlag.BLACKHOLE);
    expect(flags.get("0.0.0.0/96")).toBe(0);
  });

  test("two services with the same backends share them", () => {
    const named = (name: string, address: string, publish: boolean) =>
      service.parse({
        metadata: { name, namespace: "alpha" },
        spec: { clusterIPs: [address], ports: [{ port: 80 }], publishNotReadyAddresses: publish },
      });
    const slice = (name: string) =>
      endpointSlice.parse({
        metadata: { name, namespace: "alpha", labels: { "kubernetes.io/service-name": name } },
        addressType: "IPv4",
        ports: [{ port: 80 }],
        endpoints: [{ addresses: ["10.244.0.1"], nodeName: "master", conditions: { ready: false } }],
      });
    const services = [named("a", "10.96.0.1", false), named("b", "10.96.0.2", true)];
    const maps = mapsFor({ ...empty, services, endpointSlices: [slice("a"), slice("b")] });
    // One drains it, the other still uses it: it is in use.
    expect(maps.backends.entries().map(([, { address, flags }]) => [address, flags])).toEqual([["10.244.0.1", 1]]);
  });

  test("unchanged facts cost nothing", () => {
    const compiler = new Compiler();
    const before = compiler.compile(empty).maps;
    const after = compiler.compile({ ...empty, facts: { ...empty.facts } }).maps;
    expect(after.locations).toBe(before.locations);
    expect(after.frontends).toBe(before.frontends);
  });

  test("a finished pod's address belongs to no pod", () => {
    const gone = pod.parse({
      metadata: { name: "job", namespace: "alpha" },
      spec: { nodeName: "node", containers: [] },
      status: { phase: "Succeeded", podIPs: [{ ip: "10.244.0.77" }] },
    });
    const maps = mapsFor({ ...empty, pods: [gone] });
    expect(maps.locations.lookup({ prefixLength: 128, address: "10.244.0.77" })).toBeUndefined();
  });
});
