// What all policies of a node together ask of labels is bounded, and who asks most is closed.
import { describe, expect, test } from "vitest";
import { networkSet } from "../../model/objects/calico-policy/network-set.ts";
import { calicoNetworkPolicy } from "../../model/objects/calico-policy/policies.ts";
import { namespace, pod } from "../../model/objects/core.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { delivered } from "../../test/model/packet-path.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import { NODE_LIMITS } from "./limits.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

const range = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const OWNERS = ["greedy", "modest"];
/** Pods elsewhere, each with a label of its own. */
const OTHERS = 60;

function podOf(name: string, home: string, address: string, nodeName: string) {
  return pod.parse({
    metadata: { name, namespace: home, labels: { app: name } },
    spec: { nodeName, containers: [{}] },
    status: { phase: "Running", podIPs: [{ ip: address }] },
  });
}

function clusterOf(objects: Partial<ClusterSnapshot>): ClusterSnapshot {
  return {
    ...snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }),
    namespaces: [...OWNERS, "elsewhere"].map((name) => namespace.parse({ metadata: { name } })),
    pods: [
      ...OWNERS.map((home, at) => podOf(`web-${at}`, home, `10.244.0.${at + 1}`, "master")),
      ...range(OTHERS, (at) => podOf(`app-${at}`, "elsewhere", `10.244.1.${at + 1}`, "node")),
    ],
    endpoints: OWNERS.map((home, at) => ({
      ...{ namespace: home, pod: `web-${at}`, address: `10.244.0.${at + 1}`, ifindex: 100 + at },
      ...{ mac: "02:00:00:00:00:01", hostMac: "02:00:00:00:00:02" },
    })),
    ...objects,
  };
}

const policyOf = (home: string, name: string, from: object[], ports: object[] = []) =>
  networkPolicy.parse({ metadata: { name, namespace: home }, spec: { podSelector: {}, ingress: [{ from, ports }] } });
/** Selectors that mean every pod of the cluster, each another one. */
const everybody = (name: string, count: number) =>
  policyOf(
    "greedy",
    name,
    range(count, (at) => ({
      namespaceSelector: {},
      podSelector: { matchExpressions: [{ key: `${name}-${at}`, operator: "DoesNotExist" }] },
    })),
  );
const byApp = (app: string) => ({ namespaceSelector: {}, podSelector: { matchLabels: { app } } });
const asked = (source: string, destination: string) => ({ source, destination, protocol: 6, port: 80 });
const [OF_GREEDY, OF_MODEST] = ["10.244.0.1", "10.244.0.2"];

function compiled(objects: Partial<ClusterSnapshot>, limits: Partial<typeof NODE_LIMITS>, compiler?: Compiler) {
  const state = (compiler ?? new Compiler({ ...NODE_LIMITS, ...limits })).compile(clusterOf(objects));
  const maps = memoryMaps();
  expect(new Reconciler(maps).sync(state.maps)).toMatchObject({ problems: [], pending: 0 });
  return { state, maps };
}

describe("selectors of all policies together", () => {
  const limits = { policyComparisons: 20_000 };
  const many = range(20, (at) => everybody(`p${at}`, 50));

  test("that need more comparisons than there is room for: those of the namespace that needs most are closed, as many as it takes", () => {
    const modest = policyOf("modest", "known", [byApp("app-7")]);
    const { state, maps } = compiled({ networkPolicies: [...many, modest] }, limits);
    // Six of them need 50 times 62 comparisons each: of all pods' labels.
    expect(state.closedPolicies).toBe(14);
    expect(new Set(state.problems.map((problem) => problem.namespace))).toEqual(new Set(["greedy"]));
    expect(state.problems).toHaveLength(state.closedPolicies);
    expect(state.problems[0]?.message).toMatch(
      /^does not fit beside the other policies of node master, which have room for 20000 comparisons of selectors with labels\. .*Next: use fewer selectors/,
    );
    // Never open: who is in force decides for the others' pods, and what is closed allows nothing.
    expect(delivered(maps, asked("10.244.1.8", OF_MODEST))).toBe(true);
    expect(delivered(maps, asked("10.244.1.9", OF_MODEST))).toBe(false);
    const alone = compiled({ networkPolicies: [everybody("p0", 400)] }, limits);
    expect(alone.state.closedPolicies).toBe(1);
    expect(delivered(alone.maps, asked("10.244.1.8", OF_GREEDY))).toBe(false);
  });

  test("close nobody else, however many have to be closed", () => {
    const modest = policyOf("modest", "known", [byApp("app-7")]);
    for (const [policyComparisons, count] of [
      [10_000, 17],
      [3101, 19],
      [3100, 20],
      [1, 20],
    ] as const) {
      const { state, maps } = compiled({ networkPolicies: [...many, modest] }, { policyComparisons });
      expect(state.problems.map((problem) => problem.namespace)).toEqual(Array(count).fill("greedy"));
      expect(delivered(maps, asked("10.244.1.8", OF_MODEST))).toBe(true);
    }
  });

  test("close nobody else, however many entries and blocks that one has", () => {
    const blocks = range(200, (at) => ({ ipBlock: { cidr: `20.0.${at}.0/24` } }));
    const ports = range(40, (at) => ({ port: 80 + at, protocol: "TCP" }));
    const large = policyOf("modest", "large", blocks, ports);
    const { state, maps } = compiled({ networkPolicies: [...many, large] }, limits);
    expect(new Set(state.problems.map((problem) => problem.namespace))).toEqual(new Set(["greedy"]));
    expect(delivered(maps, asked("20.0.7.1", OF_MODEST))).toBe(true);
  });

  test("depend on what there is, not on what there was", () => {
    const compiler = new Compiler({ ...NODE_LIMITS, ...limits });
    const anew = compiled({ networkPolicies: many }, limits).state;
    for (const policies of [many.slice(0, 3), many, many.slice(0, 3), many]) {
      const { state } = compiled({ networkPolicies: policies }, limits, compiler);
      const expected = policies === many ? anew.problems : [];
      expect(state.problems).toEqual(expected);
    }
    // Pods that leave make room.
    const few = clusterOf({}).pods.slice(0, 4);
    expect(compiled({ networkPolicies: many, pods: few }, limits, compiler).state.problems).toEqual([]);
  });

  test("that name a label and its value, or a namespace by its name, are compared with few pods", () => {
    const named = range(400, (at) => byApp(`app-${at}`));
    const inNamespaces = range(400, (at) => ({
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": `team-${at}` } },
    }));
    const { state, maps } = compiled(
      { networkPolicies: [policyOf("modest", "named", [...named, ...inNamespaces])] },
      limits,
    );
    expect(state.problems).toEqual([]);
    expect(delivered(maps, asked("10.244.1.8", OF_MODEST))).toBe(true);
    const elsewhere = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "elsewhere" } } };
    const one = compiled({ networkPolicies: [policyOf("modest", "one", [elsewhere])] }, limits);
    expect(delivered(one.maps, asked("10.244.1.8", OF_MODEST))).toBe(true);
    expect(delivered(one.maps, asked(OF_GREEDY, OF_MODEST))).toBe(false);
  });
});

test("blocks of network sets count for the policies whose selectors mean them", () => {
  const networkSets = [
    networkSet.parse({
      metadata: { name: "many", namespace: "greedy", labels: { role: "many" } },
      spec: { nets: range(1500, (at) => `30.${at >> 8}.${at & 255}.0/24`) },
    }),
  ];
  const short = calicoNetworkPolicy.parse({
    metadata: { name: "short", namespace: "greedy" },
    spec: { types: ["Ingress"], ingress: [{ action: "Allow", source: { selector: "role == 'many'" } }] },
  });
  const long = policyOf(
    "modest",
    "long",
    range(800, (at) => ({ ipBlock: { cidr: `20.${at >> 8}.${at & 255}.0/24` } })),
  );
  const objects = { networkSets, calicoNetworkPolicies: [short], networkPolicies: [long] };
  const { state, maps } = compiled(objects, { policyBlocks: 2000 });
  expect(state.problems.map(({ name }) => name)).toEqual(["short"]);
  expect(delivered(maps, asked("20.0.7.1", OF_MODEST))).toBe(true);
  expect(delivered(maps, asked("30.0.7.1", OF_GREEDY))).toBe(false);
});
