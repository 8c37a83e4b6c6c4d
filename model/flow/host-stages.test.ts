// What host endpoints say of flows that a log has. test/model/calico/staged.test.ts compares the verdicts with an independent evaluator.
import { expect, test } from "vitest";
import { schemas } from "../objects/schemas.ts";
import { failsafesOf } from "../policy/failsafes.ts";
import { endpoint, hostsOf, MASTER, uplinks } from "./host-stages.fixture.ts";
import { FlowJudge } from "./judge.ts";
import type { JudgedFlow } from "./judged.ts";
import type { FlowEnd } from "./record.ts";

const SECOND = "10.9.0.8";
const master: FlowEnd = { kind: "node", name: "master", addresses: [MASTER] };
const client: FlowEnd = { kind: "network", cidr: "172.31.1.55/32" };
const web: FlowEnd = { kind: "pods", namespace: "shop", workload: "web", labels: { app: "web" } };
const both = [...uplinks, { name: "eth1", ifindex: 3, addresses: [SECOND] }];
const global = (spec: object) =>
  schemas.globalNetworkPolicies.parse({ metadata: { name: "p" }, spec: { selector: "role == 'db'", ...spec } });
const port = (number: number) => ({ action: "Allow", protocol: "TCP", destination: { ports: [number] } });
const ONLY_80 = { types: ["Ingress"], ingress: [port(80)] };

function verdict(spec: object, flow: Partial<JudgedFlow>, hosts = hostsOf()): string {
  const whole = {
    from: client,
    to: master,
    protocol: "TCP",
    port: 5432,
    isOwnNode: false,
    at: "destination",
    ...flow,
  } as const;
  const policies = { networkPolicies: [], globalNetworkPolicies: [global(spec)] };
  const by = { policies, pools: hosts.pools, nodes: new Map(), namespaces: new Map(), hosts };
  const { verdict, reason } = new FlowJudge(by, [whole]).judge(whole);
  return reason === undefined ? verdict : `${verdict}: ${reason}`;
}

const END = "no rule of GlobalNetworkPolicy p allows it (end of tier default)";

test("what the node itself receives and sends is judged by its host endpoint, but for fail-safe ports", () => {
  expect(verdict(ONLY_80, { port: 80 })).toBe("allowed");
  expect(verdict(ONLY_80, {})).toBe(`denied: ${END}`);
  expect(verdict(ONLY_80, { port: 22 })).toBe("allowed");
  const sent = { from: master, to: client, at: "source" } as const;
  expect(verdict(ONLY_80, sent)).toBe("allowed");
  expect(verdict({ types: ["Egress"], egress: [port(80)] }, sent)).toBe(`denied: ${END}`);
  expect(verdict({ types: ["Egress"], egress: [port(80)] }, { ...sent, port: 53 })).toBe("allowed");
});

test("a node always reaches its own pods, and what these send to it is as defaultEndpointToHostAction says", () => {
  expect(verdict(ONLY_80, { from: master, to: web, at: "both", isOwnNode: true })).toBe("allowed");
  const toNode = { from: web, to: master, at: "both" } as const;
  expect(verdict(ONLY_80, toNode)).toBe("allowed");
  expect(verdict(ONLY_80, toNode, hostsOf({ toHost: "Return" }))).toBe(`denied: ${END}`);
  expect(verdict(ONLY_80, { ...toNode, port: 22 }, hostsOf({ toHost: "Return" }))).toBe("allowed");
  expect(verdict(ONLY_80, { ...toNode, port: 80 }, hostsOf({ toHost: "Drop" }))).toContain(
    "denied: defaultEndpointToHostAction",
  );
});

test("Kubernetes' policies do not close a pod's own node to it, Calico's do", () => {
  const flow = { from: web, to: master, protocol: "TCP", port: 5432, isOwnNode: false, at: "both" } as const;
  const judged = (policies: object) =>
    new FlowJudge(
      {
        policies: { networkPolicies: [], ...policies },
        pools: ["10.244.0.0/16"],
        nodes: new Map(),
        namespaces: new Map(),
      },
      [flow],
    ).judge(flow).verdict;
  const closed = { metadata: { name: "p", namespace: "shop" }, spec: { podSelector: {}, policyTypes: ["Egress"] } };
  expect(judged({ networkPolicies: [schemas.networkPolicies.parse(closed)] })).toBe("allowed");
  expect(judged({ globalNetworkPolicies: [global({ selector: "app == 'web'", types: ["Egress"] })] })).toBe("denied");
});

test("what it forwards is judged by applyOnForward where it comes in and where it leaves, with pods' own policies", () => {
  const forward = { ...ONLY_80, applyOnForward: true };
  expect(verdict(forward, { to: web })).toBe(`denied: ${END}`);
  expect(verdict(forward, { to: web, port: 22 })).toBe(`denied: ${END}`);
  expect(verdict(ONLY_80, { to: web })).toBe("allowed");
  const leaving = { types: ["Egress"], egress: [port(80)], applyOnForward: true };
  expect(verdict(leaving, { from: web, to: client, at: "source" })).toBe(`denied: ${END}`);
  // What a router passes on.
  const other: FlowEnd = { kind: "network", cidr: "192.0.2.1/32" };
  expect(verdict(forward, { to: other, at: "transit" })).toBe(`denied: ${END}`);
  expect(verdict(leaving, { to: other, at: "transit" })).toBe(`denied: ${END}`);
});

test("preDNAT sees what the client wrote; the backend's node is not asked where another one is the entry node", () => {
  const closed = {
    preDNAT: true,
    applyOnForward: true,
    ingress: [{ action: "Deny", protocol: "TCP", destination: { ports: [30604] } }],
  };
  const used = { to: web, written: [{ address: MASTER, port: 30604 }] };
  expect(verdict(closed, { ...used, isFromEntry: false })).toMatch(/^denied: .*rule 1/);
  expect(verdict(closed, { ...used, isFromEntry: true })).toBe("allowed");
  // A log does not say by which node it came.
  expect(verdict(closed, used)).toMatch(/^depends: .*rule 1/);
  expect(verdict(closed, { to: web, port: 30604 })).toMatch(/^denied: .*rule 1/);
  const opened = { preDNAT: true, applyOnForward: true, ingress: [port(5432)] };
  expect(verdict(opened, {}, hostsOf({}, { hostEndpoints: [endpoint("eth0")] }))).toBe("allowed");
});

test("where a node has several uplinks with different endpoints, it depends on the interface", () => {
  const objects = { hostEndpoints: [endpoint("eth0")] };
  expect(verdict(ONLY_80, {}, hostsOf({ uplinks: both }, objects))).toBe(`depends: ${END}`);
  expect(verdict(ONLY_80, { port: 80 }, hostsOf({ uplinks: both }, objects))).toBe("allowed");
  // Pods of other nodes come by the tunnel, for which only the endpoint of all interfaces stands.
  expect(verdict(ONLY_80, { from: web }, hostsOf({}, objects))).toBe("allowed");
  expect(verdict(ONLY_80, { from: web }, hostsOf({ wraps: "never" }, objects))).toBe(`denied: ${END}`);
  expect(verdict(ONLY_80, { from: web }, hostsOf({ wraps: "sometimes" }, objects))).toBe(`depends: ${END}`);
});

test("a fail-safe port of a network keeps open what is in it", () => {
  const failsafes = failsafesOf(
    schemas.felixConfigurations.parse({
      metadata: { name: "default" },
      spec: { failsafeInboundHostPorts: [{ protocol: "TCP", port: 5432, net: "172.31.0.0/16" }] },
    }),
    {},
  );
  const from = (cidr: string): Partial<JudgedFlow> => ({ from: { kind: "network", cidr } });
  expect(verdict(ONLY_80, {}, hostsOf({ failsafes }))).toBe("allowed");
  expect(verdict(ONLY_80, from("192.0.2.1/32"), hostsOf({ failsafes }))).toBe(`denied: ${END}`);
  expect(verdict(ONLY_80, from("0.0.0.0/0"), hostsOf({ failsafes }))).toBe(`depends: ${END}`);
});
