// Objects that no API server would take, and objects that contradict each other, in any order: the compiler and the watch never throw, the
// maps are never left with what no object says, each fault is named once, and the last state wins.
import fc from "fast-check";
import { expect, test } from "vitest";
import { useOf } from "../../model/address/address.ts";
import { type KindName, kindNames } from "../../model/objects/kinds.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { problemText } from "../watch/problem-reporter.ts";
import { SnapshotStore } from "../watch/snapshot-store.ts";
import { Compiler } from "./compile.ts";
import { mapsInWords } from "./maps-in-words.fixture.ts";

const FACTS = {
  ...{ nodeName: "master", address: "172.31.1.8", subnets: ["172.31.1.0/24"], localAddresses: [] },
  ...{ serviceSubnet: "10.96.0.0/12", uplinkIfindex: 2, tunnelIfindex: 3 },
};
const NAMES = ["a", "b", "c"];
const named = (name: string, labels = {}) => ({ name, namespace: "default", uid: name, labels });

/** Mostly nonsense. */
const anything = fc.oneof(
  fc.constantFrom(undefined, null, -1, 0, 1, 80, 65_535, 65_536, 2 ** 40, 1.5, true, "", "80", "http", [], {}, [null]),
  fc.constantFrom(
    "10.96.0.1",
    "10.244.0.1",
    "::1",
    "::",
    "::ffff:10.244.0.1",
    "fd00::1",
    "fe80::1",
    "127.0.0.1",
    "0.0.0.0",
    "224.0.0.1",
  ),
  fc.constantFrom("None", "1.2.3", "01.2.3.4", "10.0.0.1/8", "TCP", "IPv4", "NodePort", "😀", "a".repeat(500)),
);
const orAnything = <T>(...usual: T[]) =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: anything });
const some = (item: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 8, arbitrary: fc.array(item, { maxLength: 3 }) }, { weight: 1, arbitrary: anything });

const servicePort = fc.record(
  {
    ...{ name: orAnything("http", "dns"), port: orAnything(80, 53), nodePort: orAnything<unknown>(30_080, 30_081, 0) },
    ...{ protocol: orAnything("TCP", "UDP"), targetPort: orAnything<unknown>(8080, "http") },
  },
  { requiredKeys: [] },
);
const spec = fc.record(
  {
    ...{ type: orAnything("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), ports: some(servicePort) },
    ...{ clusterIPs: some(orAnything("10.96.0.1", "10.96.0.2", "fd00:10:96::1")), externalIPs: some(anything) },
    ...{ sessionAffinity: orAnything("None", "ClientIP"), loadBalancerSourceRanges: some(anything) },
    ...{ externalTrafficPolicy: orAnything("Cluster", "Local"), healthCheckNodePort: orAnything(30_080, 31_000) },
  },
  { requiredKeys: ["ports"] },
);
const service = fc
  .record({ metadata: fc.constantFrom(...NAMES.map((name) => named(name))), spec: orAnything<unknown>({}) })
  .chain((object) =>
    fc.oneof({ weight: 9, arbitrary: spec.map((one) => ({ ...object, spec: one })) }, fc.constant(object)),
  );
const endpoint = fc.record(
  {
    addresses: some(orAnything("10.244.0.1", "10.244.0.2", "fd00::1", "127.0.0.1")),
    ...{
      nodeName: orAnything("master", "node"),
      conditions: orAnything<unknown>({ ready: true }, { ready: false }, { terminating: true }),
    },
  },
  { requiredKeys: ["addresses"] },
);
const slice = fc.record({
  metadata: fc
    .tuple(fc.constantFrom("x", "y"), fc.constantFrom(...NAMES))
    .map(([part, name]) => named(`${name}-${part}`, { "kubernetes.io/service-name": name })),
  addressType: orAnything("IPv4", "IPv6", "FQDN"),
  endpoints: some(endpoint),
  ports: some(fc.record({ name: orAnything("http", "dns"), port: orAnything(8080, 0), protocol: orAnything("TCP") })),
});

type Change = readonly ["put" | "remove", KindName, unknown];
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: service.map((one): Change => ["put", "services", one]) },
  { weight: 5, arbitrary: slice.map((one): Change => ["put", "endpointSlices", one]) },
  { weight: 1, arbitrary: service.map((one): Change => ["remove", "services", one]) },
  { weight: 1, arbitrary: slice.map((one): Change => ["remove", "endpointSlices", one]) },
  { weight: 1, arbitrary: anything.map((one): Change => ["put", "services", one]) },
  { weight: 1, arbitrary: anything.map((one): Change => ["remove", "endpointSlices", one]) },
);

/** What the last state is: it leaves nothing open. */
const LAST: Partial<Record<KindName, object[]>> = {
  services: NAMES.map((name, at) => ({
    metadata: named(name),
    spec: {
      type: "NodePort",
      clusterIPs: [`10.96.0.${1 + at}`],
      ports: [{ name: "http", port: 80, nodePort: 30_080 + at }],
    },
  })),
  endpointSlices: NAMES.map((name, at) => ({
    metadata: named(`${name}-x`, { "kubernetes.io/service-name": name }),
    addressType: "IPv4",
    endpoints: [{ addresses: [`10.244.0.${1 + at}`], nodeName: "master" }],
    ports: [{ name: "http", port: 8080 }],
  })),
};

function agent() {
  const store = new SnapshotStore(() => undefined);
  for (const kind of kindNames) store.replace(kind, []);
  const stores = memoryMaps();
  const [compiler, reconciler] = [new Compiler(), new Reconciler(stores)];
  return {
    store,
    /** @returns the problems' texts */
    apply(): string[] {
      const { maps, problems } = compiler.compile(store.snapshot(FACTS, []));
      expect(reconciler.sync(maps)).toMatchObject({ problems: [], pending: 0 });
      return [...store.problems(), ...problems].map(problemText);
    },
    inWords: () => mapsInWords(stores),
    backends: () => stores.backends.entries().map(([, backend]) => backend),
    /** The only one of Service a or b. */
    backendOf(name: string) {
      const address = name === "a" ? "10.96.0.1" : "10.96.0.2";
      const found = stores.frontends.lookup({ address, port: 80, protocol: 6 });
      const id = stores.slots.lookup({ backendList: found?.backendList ?? 0, index: 0 });
      return id === undefined ? undefined : stores.backends.lookup(id);
    },
  };
}

test("objects of any shape, in any order", () => {
  const fresh = agent();
  for (const [kind, objects] of Object.entries(LAST)) fresh.store.replace(kind as KindName, objects);
  fresh.apply();
  const wanted = fresh.inWords();
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 5 }), (rounds) => {
      const one = agent();
      for (const changes of rounds) {
        for (const [verb, kind, object] of changes) one.store[verb](kind, object);
        const texts = one.apply();
        expect(new Set(texts).size).toBe(texts.length);
        for (const { address, port } of one.backends())
          expect([useOf(address), port > 0]).toEqual([expect.stringMatching(/^(unicast|private|uniqueLocal)$/), true]);
      }
      for (const [kind, objects] of Object.entries(LAST)) one.store.replace(kind as KindName, objects);
      expect(one.apply()).toEqual([]);
      expect(one.inWords()).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["IPv4", "fd00::1"],
  ["IPv6", "10.244.0.9"],
  ["IPv4", "127.0.0.1"],
  ["IPv4", "169.254.169.254"],
  ["IPv4", "224.0.0.1"],
  ["IPv6", "fe80::1"],
  ["IPv6", "::1"],
  ["IPv4", "no address"],
])("an endpoint of a slice of %s at %s is named once, at the slice, and the others serve", (addressType, address) => {
  const one = agent();
  const good = addressType === "IPv4" ? "10.244.0.1" : "fd00:10:244::1";
  const spec = {
    clusterIPs: ["10.96.0.1", "fd00:10:96::1"],
    ports: [80, 81].map((port) => ({ name: `p${port}`, port })),
  };
  one.store.put("services", { metadata: named("a"), spec });
  one.store.put("endpointSlices", {
    metadata: named("a-x", { "kubernetes.io/service-name": "a" }),
    addressType,
    endpoints: [good, address, address].map((text) => ({ addresses: [text], nodeName: "node" })),
    ports: [80, 81].map((port) => ({ name: `p${port}`, port })),
  });
  expect(one.apply()).toEqual([
    `EndpointSlice default/a-x, endpoints[1].addresses[0]: "${address}" is no ${addressType} address that a host can have. ` +
      "The endpoint gets no connections; the others of the slice do.",
  ]);
  expect(one.backends().map((backend) => backend.address)).toEqual([good, good]);
});

test.each([
  ["a", "b"],
  ["b", "a"],
])("a slice of Service %s that names the wrong node of an endpoint concerns no other Service", (wrong, right) => {
  const one = agent();
  const at = (name: string, nodeName: string) => {
    const clusterIPs = [name === "a" ? "10.96.0.1" : "10.96.0.2"];
    one.store.put("services", { metadata: named(name), spec: { clusterIPs, ports: [{ name: "http", port: 80 }] } });
    one.store.put("endpointSlices", {
      metadata: named(`${name}-x`, { "kubernetes.io/service-name": name }),
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.244.0.1"], nodeName }],
      ports: [{ name: "http", port: 8080 }],
    });
  };
  at(right, "master");
  expect(one.apply()).toEqual([]);
  const alone = one.backendOf(right);
  expect(alone).toMatchObject({ node: FACTS.address });
  at(wrong, "elsewhere");
  expect(one.apply()).toEqual([]);
  expect(one.backendOf(right)).toEqual(alone);
  expect(one.backendOf(wrong)).toMatchObject({ address: "10.244.0.1", node: "::" });
});
