import { expect, test } from "vitest";
import { calicoNetworkPolicy } from "../objects/calico-policy/policies.ts";
import { type NetworkPolicy, networkPolicy } from "../objects/networking.ts";
import { FlowJudge } from "./judge.ts";
import type { JudgedBy } from "./judged-by.ts";
import type { FlowEnd } from "./record.ts";

const pods = (namespace: string, workload: string, rest: object = {}): FlowEnd => ({
  ...{ kind: "pods", namespace, workload, labels: { app: workload }, namespaceLabels: { team: namespace }, ...rest },
});
const web = pods("shop", "web");
const pg = pods("db", "pg", { ports: [{ name: "sql", protocol: "TCP", port: 5432 }] });
const outside = (cidr: string): FlowEnd => ({ kind: "network", cidr });
const node: FlowEnd = { kind: "node", name: "master", addresses: ["172.31.1.99"] };

const policy = (namespace: string, spec: object): NetworkPolicy =>
  networkPolicy.parse({ metadata: { name: "p", namespace }, spec: { podSelector: {}, ...spec } });
const onlyFrom = (...from: object[]) => policy("db", { ingress: [{ from, ports: [{ port: "sql" }] }] });

function judged(policies: NetworkPolicy[], from: FlowEnd, to: FlowEnd, rest: object = {}, by: Partial<JudgedBy> = {}) {
  const flow = { from, to, protocol: "TCP", port: 5432, isOwnNode: false, ...rest };
  const nodes = new Map([["master", ["172.31.1.8"]]]);
  const all = {
    policies: { networkPolicies: policies },
    pools: ["10.244.0.0/16"],
    nodes,
    namespaces: new Map(),
    ...by,
  };
  return new FlowJudge(all, [flow]).judge(flow);
}
const verdict = (...asked: Parameters<typeof judged>) => judged(...asked).verdict;

test("pods are judged by their labels and those of their namespaces, ports also by name", () => {
  const team = onlyFrom({ namespaceSelector: { matchLabels: { team: "shop" } } });
  expect(verdict([team], web, pg)).toBe("allowed");
  expect(verdict([team], pods("other", "web"), pg)).toBe("denied");
  expect(verdict([team], web, pg, { port: 5433 })).toBe("denied");
  expect(judged([team], pods("other", "web"), pg).reason).toContain("db/p");
  // What the program declares of a namespace holds, not what the log says.
  expect(verdict([team], web, pg, {}, { namespaces: new Map([["shop", { team: "x" }]]) })).toBe("denied");
});

test("both ends are asked", () => {
  const egress = policy("shop", { policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] });
  expect(verdict([egress], web, pg)).toBe("allowed");
  expect(verdict([egress], web, outside("192.0.2.1/32"))).toBe("denied");
  expect(verdict([egress, policy("db", {})], web, pg)).toBe("denied");
});

test("addresses outside are judged one by one; a block in which a policy tells addresses apart depends", () => {
  const one = onlyFrom({ ipBlock: { cidr: "172.31.1.55/32" } });
  expect(verdict([one], outside("172.31.1.55/32"), pg)).toBe("allowed");
  expect(verdict([one], outside("172.31.1.56/32"), pg)).toBe("denied");
  expect(verdict([one], outside("172.31.1.0/24"), pg)).toBe("depends");
  expect(verdict([one], outside("172.31.2.0/24"), pg)).toBe("denied");
});

test("where a policy names a part of a pool, a pod's verdict depends on its address", () => {
  expect(verdict([onlyFrom({ ipBlock: { cidr: "10.244.0.0/16" } })], web, pg)).toBe("allowed");
  expect(verdict([onlyFrom({ ipBlock: { cidr: "10.244.1.0/24" } })], web, pg)).toBe("depends");
});

test("nodes have their addresses, and reach their own pods", () => {
  const one = onlyFrom({ ipBlock: { cidr: "172.31.1.8/32" } });
  expect(verdict([one], node, pg)).toBe("allowed");
  expect(verdict([policy("db", {})], node, pg)).toBe("denied");
  expect(verdict([policy("db", {})], node, pg, { isOwnNode: true })).toBe("allowed");
  expect(judged([one], { kind: "node", name: "gone", addresses: [] }, pg)).toMatchObject({ verdict: "depends" });
});

test("without the labels nothing is claimed", () => {
  const { labels: _, ...unlabelled } = web as Extract<FlowEnd, { kind: "pods" }>;
  expect(judged([], unlabelled, pg)).toMatchObject({ verdict: "depends", reason: expect.stringContaining("shop/web") });
});

test("protocols without ports", () => {
  const ping = { protocol: "ICMP", port: 0 };
  expect(verdict([onlyFrom({ podSelector: {} })], pods("db", "web"), pg, ping)).toBe("denied");
  expect(verdict([policy("db", { ingress: [{}] })], web, pg, ping)).toBe("allowed");
});

test("ICMP is judged by its type and code; a log that does not say them means echo requests", () => {
  const allowing = (icmp: object, protocol: string) =>
    calicoNetworkPolicy.parse({
      metadata: { name: "icmp", namespace: "db" },
      spec: { types: ["Ingress"], ingress: [{ action: "Allow", protocol, icmp }] },
    });
  const said = (policies: object, flow: object) =>
    judged([], web, pg, { port: 0, ...flow }, { policies: { networkPolicies: [], ...policies } }).verdict;
  const echo = { calicoNetworkPolicies: [allowing({ type: 8, code: 0 }, "ICMP")] };
  expect(said(echo, { protocol: "ICMP", icmp: { type: 8, code: 0 } })).toBe("allowed");
  expect(said(echo, { protocol: "ICMP" })).toBe("allowed");
  expect(said(echo, { protocol: "ICMP", icmp: { type: 8, code: 1 } })).toBe("denied");
  expect(said(echo, { protocol: "ICMP", icmp: { type: 13, code: 0 } })).toBe("denied");
  expect(said(echo, { protocol: "58", icmp: { type: 128, code: 0 } })).toBe("denied");
  const echo6 = { calicoNetworkPolicies: [allowing({ type: 128 }, "ICMPv6")] };
  expect(said(echo6, { protocol: "58", icmp: { type: 128, code: 3 } })).toBe("allowed");
});

test("what a policy that names a Service says depends, unless the endpoints are known", () => {
  const toService = calicoNetworkPolicy.parse({
    metadata: { name: "out", namespace: "shop" },
    spec: {
      ...{ selector: "all()", types: ["Egress"] },
      egress: [{ action: "Allow", destination: { services: { name: "pg", namespace: "db" } } }],
    },
  });
  const policies = { networkPolicies: [], calicoNetworkPolicies: [toService] };
  expect(judged([], web, pg, {}, { policies })).toEqual({
    verdict: "depends",
    reason: "Calico NetworkPolicy shop/out names a Service, whose endpoints are not known",
  });
  expect(verdict([], web, pg, {}, { policies: { ...policies, endpointSlices: [] } })).toBe("denied");
});

test("rules that ask about the pod itself hold for it, at the addresses that it may have", () => {
  const sending = (source: object) =>
    calicoNetworkPolicy.parse({
      metadata: { name: "p", namespace: "shop" },
      spec: { types: ["Egress"], egress: [{ action: "Allow", source }] },
    });
  const said = (source: object) =>
    verdict(
      [],
      web,
      outside("192.0.2.1/32"),
      {},
      { policies: { networkPolicies: [], calicoNetworkPolicies: [sending(source)] } },
    );
  expect(said({ selector: "app == 'web'" })).toBe("allowed");
  expect(said({ selector: "app == 'db'" })).toBe("denied");
  expect(said({ nets: ["10.244.0.0/16"] })).toBe("allowed");
  expect(said({ nets: ["10.244.1.0/24"] })).toBe("depends");
});
