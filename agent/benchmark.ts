// The cost of a start in a big cluster, from the API server's text to the bytes of the maps: `node --expose-gc agent/benchmark.ts
// [services] [endpoints of each]`. It measures CPU time, because the wall clock of a shared machine shows little. The API server is in
// memory, and the maps discard the bytes that they get.
import { setImmediate, setTimeout } from "node:timers/promises";
import type { StreamingApi } from "../kubernetes/transport.ts";
import { kindNames, kinds, resourcePath } from "../model/objects/kinds.ts";
import { Compiler } from "./compile/compile.ts";
import { addressAt as address, facts } from "./compile/policy-cluster.fixture.ts";
import type { MapDefinition } from "./kernel/codec.ts";
import type { MapStore } from "./kernel/map-store.ts";
import { eachStored } from "./kernel/memory-map.ts";
import { inSlices } from "./process/slices.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { ApiSource } from "./watch/api-source.ts";
import { SnapshotStore } from "./watch/snapshot-store.ts";

const [services = 10_000, endpoints = 10] = process.argv.slice(2).map(Number);

/** Metadata as an API server has it, including the parts that the agent does not read. */
const metadata = (name: string, more: object = {}) => ({
  name,
  namespace: "default",
  uid: crypto.randomUUID(),
  resourceVersion: String(100_000 + Math.floor(Math.random() * 900_000)),
  generation: 1,
  creationTimestamp: "2026-11-28T10:00:00Z",
  managedFields: [{ manager: "kube-controller-manager", operation: "Update", apiVersion: "v1", fieldsV1: FIELDS }],
  ...more,
});
const FIELDS = { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } }, "f:spec": { "f:ports": { ".": {} } } };

const labels = (index: number) => ({ labels: { app: `app-${index}`, "app.kubernetes.io/managed-by": "Helm" } });

const serviceAt = (index: number) => ({
  metadata: metadata(`service-${index}`, labels(index)),
  spec: {
    type: "ClusterIP",
    clusterIP: address(96, index + 10),
    clusterIPs: [address(96, index + 10)],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    internalTrafficPolicy: "Cluster",
    sessionAffinity: "None",
    selector: { app: `app-${index}` },
    ports: [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080 }],
  },
  status: { loadBalancer: {} },
});

/** As many as Kubernetes' controller puts in one. */
const IN_SLICE = 100;
const slicesEach = Math.ceil(endpoints / IN_SLICE);

function sliceAt(number: number, missing = 0) {
  const [index, place] = [Math.floor(number / slicesEach), number % slicesEach];
  const name = `service-${index}`;
  return {
    metadata: metadata(`${name}-${place}`, {
      generateName: `${name}-`,
      labels: { ...labels(index).labels, "kubernetes.io/service-name": name },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name, uid: crypto.randomUUID() }],
    }),
    addressType: "IPv4",
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    endpoints: Array.from({ length: Math.min(IN_SLICE, endpoints - place * IN_SLICE) - missing }, (_, at) => ({
      addresses: [address(128, index * endpoints + place * IN_SLICE + at)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${(index + at) % 100}`,
      targetRef: { kind: "Pod", name: `${name}-${place}-${at}`, namespace: "default", uid: crypto.randomUUID() },
      zone: "zone-a",
    })),
  };
}

const nodeAt = (index: number) => ({
  metadata: { ...metadata(`node-${index}`), namespace: undefined },
  status: { addresses: [{ type: "InternalIP", address: `172.31.1.${index + 8}` }] },
});

const PAGE = 500;
const pagesOf = (kind: object, count: number, make: (index: number) => object) =>
  Array.from({ length: Math.max(1, Math.ceil(count / PAGE)) }, (_, page) =>
    JSON.stringify({
      ...kind,
      metadata: { resourceVersion: "1", continue: (page + 1) * PAGE < count ? String(page + 1) : "" },
      items: Array.from({ length: Math.min(PAGE, count - page * PAGE) }, (_, at) => make(page * PAGE + at)),
    }),
  );

const content: Readonly<Record<string, [number, (index: number) => object]>> = {
  services: [services, serviceAt],
  endpointSlices: [services * slicesEach, sliceAt],
  nodes: [100, nodeAt],
  namespaces: [1, () => ({ metadata: { ...metadata("default"), namespace: undefined } })],
};
// As bytes outside the heap, so that the heap is that of the agent alone.
const lists = new Map(
  kindNames.map((name) => {
    const [count, make] = content[name] ?? [0, () => ({})];
    return [resourcePath(kinds[name]), pagesOf({}, count, make).map((text) => Buffer.from(text))];
  }),
);

const api: StreamingApi = {
  server: "memory",
  async send({ path, query }) {
    await setImmediate();
    return String(lists.get(path)?.[Number(query?.continue ?? 0)]);
  },
  async stream({ signal }) {
    return (async function* () {
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      yield* [] as string[];
    })();
  },
};

/** Accepts what the agent writes, as the kernel does, and keeps nothing. */
function sink<K, V>(definition: MapDefinition<K, V>): MapStore<K, V> {
  return {
    definition,
    lookup: () => undefined,
    entries: () => [],
    read: () => [],
    update(entries) {
      const all = [...entries];
      const { key: keys, value: values } = definition;
      const [k, v] = [
        new DataView(new ArrayBuffer(all.length * keys.size)),
        new DataView(new ArrayBuffer(all.length * values.size)),
      ];
      all.forEach(([key, value], index) => {
        keys.encode(key, k, index * keys.size);
        values.encode(value, v, index * values.size);
      });
      return [];
    },
    delete: () => [],
  };
}

const MB = 1e6;
const seconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;

/** The longest time between two turns of the event loop, in milliseconds of this thread's own processor time. */
class LongestTurn {
  ms = 0;
  #ended = false;

  async run(): Promise<void> {
    for (let before = process.threadCpuUsage(); !this.#ended; ) {
      await setImmediate();
      const now = process.threadCpuUsage();
      this.ms = Math.max(this.ms, (seconds(now) - seconds(before)) * 1000);
      before = now;
    }
  }

  end(): void {
    this.#ended = true;
  }
}

/** CPU time and longest block of one stage, and what is kept after it. */
async function stage<R>(what: string, work: () => Promise<R>): Promise<R> {
  gc?.();
  const turn = new LongestTurn();
  void turn.run();
  const start = process.cpuUsage();
  const result = await work();
  const spent = seconds(process.cpuUsage(start));
  await setTimeout(5);
  turn.end();
  const { rss } = process.memoryUsage();
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  console.log(
    `${what}: ${spent.toFixed(2)} s CPU, ${turn.ms.toFixed(0)} ms in a row at most, ` +
      `keeps ${((heapUsed - base.heapUsed) / MB).toFixed(0)} MB of heap and ${((external - base.external) / MB).toFixed(0)} outside, ` +
      `resident ${(rss / MB).toFixed(0)} MB`,
  );
  return result;
}

gc?.();
const base = process.memoryUsage();
console.log(`${services} services with ${endpoints} endpoints each; ${(base.rss / MB).toFixed(0)} MB resident before`);
const ending = new AbortController();
const store = new SnapshotStore(() => {});
const log = { warn: console.warn, info: () => {}, error: console.error, debug: () => {} };
await stage("lists", async () => {
  void new ApiSource(api, log as never).run(store, ending.signal);
  while (!store.complete) await setTimeout(1);
});
lists.clear();
const compiler = new Compiler();
const reconciler = new Reconciler(eachStored(sink));
const desired = await stage("compile", () => inSlices(compiler.compiling(store.snapshot(facts, []))));
const { written } = await stage("write", () => inSlices(reconciler.syncing(desired.maps)));
store.put("endpointSlices", sliceAt(0, 1));
const again = await stage("compile, an endpoint is gone", () =>
  inSlices(compiler.compiling(store.snapshot(facts, []))),
);
await stage("write, an endpoint is gone", () => inSlices(reconciler.syncing(again.maps)));
const peak = process.resourceUsage().maxRSS / 1000;
console.log(`${written} entries written; peak ${peak.toFixed(0)} MB, with the lists as text`);
ending.abort();
