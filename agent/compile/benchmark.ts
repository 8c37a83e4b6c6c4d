// What compiling and writing cost in a big cluster: `node agent/compile/benchmark.ts [services] [pods]`.
// CPU time of this thread, because the wall clock of a shared machine says little. Maps in memory.
import { namespace, node, pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import {
  addressAt as address,
  changingPolicy,
  endpointAt,
  facts,
  policyCluster,
  range,
} from "./policy-cluster.fixture.ts";
import { type ClusterSnapshot, noObjects } from "./snapshot.ts";

const [services = 10_000, pods = 10_000] = process.argv.slice(2).map(Number);

function slice(index: number, hosts: readonly number[]) {
  return endpointSlice.parse({
    metadata: { name: `s${index}-x`, namespace: "default", labels: { "kubernetes.io/service-name": `s${index}` } },
    addressType: "IPv4",
    ports: [{ port: 8080, protocol: "TCP" }],
    endpoints: hosts.map((host) => ({
      addresses: [address(128, host)],
      nodeName: "node",
      conditions: { ready: true },
    })),
  });
}

const policy = (allowed: string) =>
  networkPolicy.parse({
    metadata: { name: "web", namespace: "default" },
    spec: {
      podSelector: {},
      ingress: [
        { from: [{ podSelector: { matchLabels: { app: allowed } } }], ports: [{ port: 80 }] },
        { from: [{ ipBlock: { cidr: "172.31.1.0/24", except: ["172.31.1.162/32"] } }] },
      ],
    },
  });

const snapshot: ClusterSnapshot = {
  ...noObjects,
  facts,
  endpoints: range(Math.min(100, pods), endpointAt),
  nodes: [
    ["node-0", "172.31.1.8"],
    ["node", "172.31.1.207"],
  ].map(([name, internal]) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address: internal }] } }),
  ),
  namespaces: [namespace.parse({ metadata: { name: "default" } })],
  pods: range(pods, (index) =>
    pod.parse({
      metadata: { name: `p${index}`, namespace: "default", labels: { app: `app-${index % 500}` } },
      spec: { nodeName: index < 100 ? "node-0" : "node", containers: [{}] },
      status: { phase: "Running", podIPs: [{ ip: address(128, index) }] },
    }),
  ),
  services: range(services, (index) =>
    service.parse({
      metadata: { name: `s${index}`, namespace: "default" },
      spec: {
        type: "NodePort",
        clusterIPs: [address(96, index)],
        ports: [{ port: 80, nodePort: index < 2768 ? 30000 + index : undefined }],
      },
    }),
  ),
  endpointSlices: range(services, (index) => slice(index, [index * 3, index * 3 + 1, index * 3 + 2])),
  networkPolicies: [policy("app-1")],
};

let compiler = new Compiler();
let reconciler = new Reconciler(memoryMaps());

/** Milliseconds for one round. */
function round(next: ClusterSnapshot) {
  const start = process.threadCpuUsage();
  const state = compiler.compile(next);
  const compiled = process.threadCpuUsage(start);
  const { written } = reconciler.sync(state.maps);
  const all = process.threadCpuUsage(start);
  const ms = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;
  return { compile: ms(compiled), all: ms(all), written };
}

function measure(what: string, ...rounds: ClusterSnapshot[]): void {
  const results = rounds.map(round);
  const at = (share: number, of: "compile" | "all") => {
    const sorted = results.map((result) => result[of]).sort((a, b) => a - b);
    return `${(sorted[Math.floor(share * (sorted.length - 1))] as number).toFixed(1)} ms`;
  };
  const slow = rounds.length > 1 ? ` (p99 ${at(0.99, "all")})` : "";
  const written = results.at(-1)?.written;
  console.log(
    `${what}: compile ${at(0.5, "compile")}, with writing ${at(0.5, "all")}${slow}, ${written} entries written`,
  );
}

console.log(`${services} services with 3 backends each, ${pods} pods, CPU time`);
measure("everything", snapshot);
let last = snapshot;
const changes = range(200, (index) => {
  const endpointSlices = last.endpointSlices.with((index * 37) % services, slice((index * 37) % services, [index]));
  last = { ...last, endpointSlices };
  return last;
});
measure("one EndpointSlice changed, of 200", ...changes);
const weighed = range(200, (index) => {
  const at = (index * 37) % pods;
  const changed = last.pods[at] as (typeof last.pods)[number];
  const annotations = { "ebpf-dataplane.io/weight": `${index % 7}` };
  const heavier = { ...changed, metadata: { ...changed.metadata, annotations } };
  last = { ...last, pods: last.pods.with(at, heavier) };
  return last;
});
measure("one pod's weight changed, of 200", ...weighed);
for (const app of ["app-2", "app-3"]) measure("a NetworkPolicy changed", { ...last, networkPolicies: [policy(app)] });

[compiler, reconciler] = [new Compiler(), new Reconciler(memoryMaps())];
const many = policyCluster(pods, 1000);
measure("1,000 policies on the node and a few pods of each", many);
const versions = range(200, (index) => ({
  ...many,
  networkPolicies: many.networkPolicies.with(-1, changingPolicy(1 + index * 3)),
}));
measure("one policy of ten pods changed, of 200", ...versions);
