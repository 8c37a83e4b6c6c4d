// What one namespace can ask of a node: it is answered in short parts, and what is too much fails closed for that object.
import { describe, expect, test } from "vitest";
import { namespace, pod } from "../../model/objects/core.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { POLICY_LIMITS } from "../../model/policy/limits.ts";
import { delivered } from "../../test/model/packet-path.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { memoryMaps } from "../kernel/memory-map.ts";
import { Reconciler } from "../reconcile/reconciler.ts";
import { Compiler } from "./compile.ts";
import { NODE_LIMITS } from "./limits.ts";
import { LONGEST_PART_MS, longest } from "./parts.fixture.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

const network = (index: number) => `${20 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
const block = (index: number) => `${network(index)}.0/24`;
const except = (index: number) => `${network(index)}.128/25`;

function policy(name: string, first: number, count: number, in_ = "victim", directions = ["Ingress", "Egress"]) {
  const peers = Array.from({ length: count }, (_, at) => ({
    ipBlock: { cidr: block(first + at), except: [except(first + at)] },
  }));
  return networkPolicy.parse({
    metadata: { name, namespace: in_ },
    spec: { podSelector: {}, policyTypes: directions, ingress: [{ from: peers }], egress: [{ to: peers }] },
  });
}

function clusterOf(policies: ReturnType<typeof policy>[], namespaces = ["victim", "other"]): ClusterSnapshot {
  const place = (index: number) => ({
    namespace: namespaces[index] as string,
    pod: `web-${index}`,
    address: `10.244.0.${index + 1}`,
  });
  return {
    ...snapshotOf({ namespaceLabels: {}, pods: [], policies: [] }),
    namespaces: namespaces.map((name) => namespace.parse({ metadata: { name } })),
    pods: namespaces.map((_, index) => {
      const { namespace, pod: name, address } = place(index);
      return pod.parse({
        metadata: { name, namespace, labels: { app: "web" } },
        spec: { nodeName: "master", containers: [{}] },
        status: { phase: "Running", podIPs: [{ ip: address }] },
      });
    }),
    endpoints: namespaces.map(
      (_, index): LocalEndpoint => ({
        ...place(index),
        ifindex: 100 + index,
        mac: "02:00:00:00:00:01",
        hostMac: "02:00:00:00:00:02",
      }),
    ),
    networkPolicies: policies,
  };
}

const asked = (source: string, destination: string) => ({ source, destination, protocol: 6, port: 80 });

describe("large policies", () => {
  test("ten policies of 2,000 blocks with exceptions, and one of 5,000: in short parts, and right", () => {
    const ten = Array.from({ length: 10 }, (_, at) => policy(`p${at}`, at * 2000, 2000));
    const maps = memoryMaps();
    const [compiler, reconciler] = [new Compiler(), new Reconciler(maps)];
    const first = longest(compiler.compiling(clusterOf(ten)));
    const written = longest(reconciler.syncing(first.result.maps));
    expect(first.result.closedPolicies).toBe(0);
    expect(maps.policies.entries().length).toBeGreaterThanOrEqual(40_000);
    const more = longest(compiler.compiling(clusterOf([...ten, policy("big", 30_000, 5000, "other")])));
    const rewritten = longest(reconciler.syncing(more.result.maps));
    const parts = { first, written, more, rewritten };
    console.log(
      Object.entries(parts)
        .map(([name, { ms, parts }]) => `${name}: ${parts} parts, longest ${ms.toFixed(0)} ms`)
        .join("; "),
    );
    for (const { ms } of Object.values(parts)) expect(ms).toBeLessThan(LONGEST_PART_MS);
    expect(rewritten.result).toMatchObject({ problems: [], pending: 0 });
    expect(delivered(maps, asked("20.0.7.1", "10.244.0.1"))).toBe(true);
    expect(delivered(maps, asked("20.0.7.129", "10.244.0.1"))).toBe(false);
  });

  test("a policy over a limit isolates its pods and is reported; others stay in force", () => {
    const count = POLICY_LIMITS.blocks / 2 + 1;
    const small = policy("small", 0, 1, "other");
    const state = new Compiler().compile(clusterOf([policy("huge", 0, count), small]));
    const maps = memoryMaps();
    new Reconciler(maps).sync(state.maps);
    expect(state.problems.map(({ name, path, message }) => [name, path, message])).toEqual([
      ["huge", "spec", expect.stringContaining(`has ${4 * count} ipBlocks and exceptions; one NetworkPolicy may have`)],
    ]);
    expect(state.closedPolicies).toBe(1);
    expect(delivered(maps, asked("20.0.0.1", "10.244.0.1"))).toBe(false);
    expect(delivered(maps, asked("20.0.0.1", "10.244.0.2"))).toBe(true);
  });

  test("selectors of many characters, which mean every pod of the cluster, are in nobody's name: too long ones close their policy", () => {
    const apps = Array.from({ length: 200 }, (_, index) => `app-${index}`);
    const others = apps.map((app, index) =>
      pod.parse({
        metadata: { name: app, namespace: "other", labels: { app } },
        spec: { nodeName: "node", containers: [{}] },
        status: { phase: "Running", podIPs: [{ ip: `10.244.1.${index + 1}` }] },
      }),
    );
    const long = (characters: number) => {
      const values = Array.from({ length: characters / 10 }, (_, index) => `value-${index}`);
      const podSelector = { matchExpressions: [{ key: "x", operator: "NotIn", values }] };
      const byApp = apps.map((app) => ({ namespaceSelector: {}, podSelector: { matchLabels: { app } } }));
      const from = [{ namespaceSelector: {}, podSelector }, ...byApp];
      return networkPolicy.parse({
        metadata: { name: "long", namespace: "victim" },
        spec: { podSelector: {}, ingress: [{ from }] },
      });
    };
    const stateWith = (characters: number) => {
      const cluster = clusterOf([long(characters)]);
      return new Compiler().compile({ ...cluster, pods: [...cluster.pods, ...others] });
    };
    const { names, problems } = stateWith(80_000);
    expect(problems).toEqual([]);
    const all = [...names.identities.values()];
    expect(all.length).toBeGreaterThanOrEqual(apps.length);
    expect(all.reduce((sum, name) => sum + name.length, 0)).toBeLessThan(1_000 * all.length);
    const { problems: refused, closedPolicies } = stateWith(200_000);
    expect([refused.map(({ message }) => message), closedPolicies]).toEqual([
      [expect.stringMatching(/^has \d+ characters in selectors of peers; one NetworkPolicy may have 131072/)],
      1,
    ]);
  });

  test("policies that are too large together: only the namespace that uses most is closed", () => {
    const many = Array.from({ length: 20 }, (_, at) => policy(`p${at}`, at * 500, 500));
    const limits = { ...NODE_LIMITS, policyEntries: NODE_LIMITS.policyEntries / 8 };
    const compiler = new Compiler(limits);
    const snapshot = clusterOf([...many, policy("small", 0, 40, "other")]);
    const { result, ms } = longest(compiler.compiling(snapshot));
    expect(ms).toBeLessThan(LONGEST_PART_MS);
    const maps = memoryMaps();
    expect(new Reconciler(maps).sync(result.maps)).toMatchObject({ problems: [], pending: 0 });
    expect(maps.policies.entries().length).toBeLessThanOrEqual(limits.policyEntries);
    expect(result.closedPolicies).toBe(4);
    expect(result.problems.length).toBe(4);
    for (const { namespace, message } of result.problems) {
      expect(namespace).toBe("victim");
      expect(message).toContain("does not fit beside the other policies of node");
    }
    expect(delivered(maps, asked("20.0.0.1", "10.244.0.2"))).toBe(true);
    expect(delivered(maps, asked("20.0.0.129", "10.244.0.2"))).toBe(false);
    const again = new Compiler(limits).compile(snapshot);
    expect(again.problems).toEqual(result.problems);
  });

  test("policies that tell too many blocks apart, at no entry: their namespace is closed, and nobody's address is forgotten", () => {
    const everybody = { from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] };
    const many = Array.from({ length: 8 }, (_, at) => {
      const peers = Array.from({ length: 300 }, (_, index) => ({ ipBlock: { cidr: block(at * 300 + index) } }));
      return networkPolicy.parse({
        metadata: { name: `p${at}`, namespace: "victim" },
        spec: { podSelector: {}, ingress: [{ from: peers }, everybody] },
      });
    });
    const others = policy("small", 0, 40, "other", ["Ingress"]);
    const limits = { ...NODE_LIMITS, policyBlocks: 1400 };
    const [compiler, maps] = [new Compiler(limits), memoryMaps()];
    const reconciler = new Reconciler(maps);
    const before = compiler.compile(clusterOf([others, ...many.slice(0, 3)]));
    expect(before.problems).toEqual([]);
    reconciler.sync(before.maps);
    expect(delivered(maps, asked("20.0.0.1", "10.244.0.1"))).toBe(true);
    const state = compiler.compile(clusterOf([others, ...many]));
    expect(reconciler.sync(state.maps)).toMatchObject({ problems: [], pending: 0 });
    const { identities } = state.names;
    expect(identities.size).toBeGreaterThan(80);
    expect(identities.size).toBeLessThanOrEqual(limits.policyBlocks);
    expect(state.closedPolicies).toBe(state.problems.length);
    expect(state.problems.map(({ namespace }) => namespace)).toEqual(state.problems.map(() => "victim"));
    expect(state.problems[0]?.message).toContain("which have room for 1400 blocks of addresses");
    // Who was refused before is refused, who was allowed by others' policies is allowed.
    expect(delivered(maps, asked("20.0.0.129", "10.244.0.2"))).toBe(false);
    expect(delivered(maps, asked("20.0.0.1", "10.244.0.2"))).toBe(true);
  });

  test("a policy of thousands of ports, rules and exceptions costs their sum", () => {
    const ports = Array.from({ length: 4000 }, (_, at) => ({ port: 1 + at * 16, protocol: "TCP" as const }));
    const exceptions = Array.from({ length: 8000 }, (_, at) => `20.${at >> 8}.${at & 255}.0/24`);
    const wide = networkPolicy.parse({
      metadata: { name: "wide", namespace: "victim" },
      spec: {
        podSelector: {},
        ingress: [{ from: [{ ipBlock: { cidr: "20.0.0.0/8", except: exceptions } }], ports: ports.slice(0, 10) }],
      },
    });
    const spread = networkPolicy.parse({
      metadata: { name: "spread", namespace: "other" },
      spec: {
        podSelector: {},
        ingress: ports.map((port) => ({ from: [{ ipBlock: { cidr: "30.0.0.0/8" } }], ports: [port] })),
      },
    });
    const { result, ms } = longest(new Compiler().compiling(clusterOf([wide, spread])));
    expect(ms).toBeLessThan(LONGEST_PART_MS);
    const maps = memoryMaps();
    new Reconciler(maps).sync(result.maps);
    expect(result.problems).toEqual([]);
    expect(delivered(maps, { ...asked("20.200.0.1", "10.244.0.1"), port: 17 })).toBe(true);
    expect(delivered(maps, { ...asked("20.0.5.1", "10.244.0.1"), port: 17 })).toBe(false);
    expect(delivered(maps, { ...asked("30.0.0.1", "10.244.0.2"), port: 33 })).toBe(true);
    expect(delivered(maps, { ...asked("30.0.0.1", "10.244.0.2"), port: 34 })).toBe(false);
  });
});
