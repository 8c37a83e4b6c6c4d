// What changed host endpoints say of the flows of a log, as a whole cluster's agents would.
import { describe, expect, test } from "vitest";
import { schemas } from "../objects/schemas.ts";
import { type HostInputs, HostJudges } from "./host-judges.ts";
import type { FlowEnd, FlowRecord, IntervalRecord } from "./record.ts";
import { seenFlows } from "./seen.ts";

const client: FlowEnd = { kind: "network", cidr: "172.31.1.55/32" };
const web: FlowEnd = { kind: "pods", namespace: "shop", workload: "web", labels: { app: "web" } };
const node = (name: string, address: string): FlowEnd => ({ kind: "node", name, addresses: [address] });
const MASTER = node("master", "172.31.1.8");
const line = (rest: Partial<FlowRecord>): FlowRecord => ({
  ...{ type: "flow", node: "master", at: "destination", from: client, to: web, protocol: "TCP", port: 80 },
  ...{ verdict: "allowed", connections: 1, packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:00:10.000Z", ...rest },
});
const told = (name: string, address: string, labels: Record<string, string> = {}, rest = {}): IntervalRecord => ({
  ...{ type: "interval", node: name, from: "2026-11-28T12:00:00.000Z", until: "2026-11-28T12:01:00.000Z" },
  ...{ flows: 1, lostConnections: 0, lostRefusals: 0, summarised: 0, pools: ["10.244.0.0/16"], unwritten: 0 },
  host: { addresses: [address], labels, uplinks: [{ name: "eth0", addresses: [address] }], ...rest },
});
const NODES = [told("master", "172.31.1.8", { edge: "yes" }), told("node", "172.31.1.207")];

const endpoint = (nodeName: string, interfaceName = "eth0") =>
  schemas.hostEndpoints.parse({
    ...{ metadata: { name: `${nodeName}-${interfaceName.replace("*", "any")}`, labels: { role: "host" } } },
    spec: { node: nodeName, interfaceName },
  });
const automatic = schemas.kubeControllersConfigurations.parse({
  metadata: { name: "default" },
  spec: { controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } } },
});
const felix = (spec: object) => schemas.felixConfigurations.parse({ metadata: { name: "default" }, spec });
const policy = (spec: object) =>
  schemas.globalNetworkPolicies.parse({ metadata: { name: "p" }, spec: { selector: "role == 'host'", ...spec } });
const port = (number: number) => ({ action: "Allow", protocol: "TCP", destination: { ports: [number] } });
const deny = (number: number) => ({ action: "Deny", protocol: "TCP", destination: { ports: [number] } });
const service = (spec: object = {}) =>
  schemas.services.parse({
    ...{ metadata: { name: "web", namespace: "shop" } },
    spec: { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 80, nodePort: 30080 }], ...spec },
  });
const BOTH = [endpoint("master"), endpoint("node")];

function verdict(spec: object, lines: Partial<FlowRecord>[], inputs: Partial<HostInputs> = {}, nodes = NODES): string {
  const seen = seenFlows([...lines.map(line), ...nodes]);
  const [flow] = seen.flows;
  const policies = { networkPolicies: [], globalNetworkPolicies: [policy(spec)] };
  const by = { policies, pools: seen.pools, nodes: new Map(), namespaces: new Map() };
  const all = { hostEndpoints: BOTH, wraps: "always", services: [service()], ...inputs } as const;
  return flow ? new HostJudges(by, all, seen).judge(flow).verdict : "no flow";
}

const FORWARD = { applyOnForward: true, types: ["Ingress"], ingress: [port(8080)] };

test("what a node forwards is judged where it is reported: where it comes in, and where it leaves", () => {
  expect(verdict(FORWARD, [{}])).toBe("denied");
  expect(verdict(FORWARD, [{ port: 8080 }])).toBe("allowed");
  expect(verdict(FORWARD, [{}], { hostEndpoints: [endpoint("node")] })).toBe("allowed");
  expect(verdict({ ...FORWARD, applyOnForward: false }, [{}])).toBe("allowed");
  const egress = { applyOnForward: true, types: ["Egress"], egress: [port(8080)] };
  expect(verdict(egress, [{ from: web, to: client, at: "source" }])).toBe("denied");
  // Both nodes report what goes from pod to pod; it is wrapped, so the endpoint of eth0 is not asked.
  const between = [
    { from: web, at: "source", node: "node" },
    { from: web, at: "destination" },
  ] as const;
  expect(verdict(egress, [...between])).toBe("allowed");
  expect(verdict(egress, [...between], { hostEndpoints: [endpoint("node", "*")] })).toBe("denied");
  expect(verdict(egress, [...between], { wraps: "never" })).toBe("denied");
});

test("automatic host endpoints have the labels that a node says it has", () => {
  const only443 = { selector: "edge == 'yes'", types: ["Ingress"], ingress: [port(443)] };
  const inputs = { hostEndpoints: [], kubeControllersConfigurations: [automatic] };
  expect(verdict(only443, [{ to: MASTER, port: 8080 }], inputs)).toBe("denied");
  expect(verdict(only443, [{ to: MASTER, port: 22 }], inputs)).toBe("allowed");
  const other = { to: node("node", "172.31.1.207"), port: 8080, node: "node" };
  expect(verdict(only443, [other], inputs)).toBe("allowed");
  // The node of a flow's end is asked also where only the other one reports it.
  const sent = { from: node("node", "172.31.1.207"), to: MASTER, node: "node", at: "source", port: 8080 } as const;
  expect(verdict(only443, [sent], inputs)).toBe("denied");
});

describe("of a node that says nothing of itself, automatic host endpoints have labels that are not known", () => {
  const auto = { hostEndpoints: [], kubeControllersConfigurations: [automatic] };
  const templates = schemas.kubeControllersConfigurations.parse({
    metadata: { name: "default" },
    spec: {
      controllers: {
        node: {
          hostEndpoint: {
            ...{ autoCreate: "Enabled", createDefaultHostEndpoint: "Disabled" },
            templates: [{ generateName: "t", interfaceCIDRs: ["172.31.1.0/24"], nodeSelector: "edge == 'yes'" }],
          },
        },
      },
    },
  });
  const rules = { types: ["Ingress"], ingress: [port(443)] };
  const at = (selector: string, rest: object = {}, number = 8080, inputs: Partial<HostInputs> = auto) =>
    verdict({ selector, ...rules, ...rest }, [{ to: MASTER, port: number }], inputs, []);

  test("what labels decide depends", () => {
    expect(at("edge == 'yes'")).toBe("depends");
    expect(at("!has(edge)")).toBe("depends");
    expect(at("has(projectcalico.org/created-by) && edge != 'no'")).toBe("depends");
    expect(at("has(projectcalico.org/created-by)", { ingress: [port(8080)] })).toBe("allowed");
    // Which of its rules hold is a question of the labels, too.
    const here = { action: "Allow", protocol: "TCP", destination: { selector: "edge == 'yes'", ports: [8080] } };
    expect(at("all()", { ingress: [here] })).toBe("depends");
  });

  test("what they do not decide is said", () => {
    expect(at("all()")).toBe("denied");
    expect(at("has(projectcalico.org/created-by) || edge == 'yes'")).toBe("denied");
    expect(at("projectcalico.org/created-by == 'somebody'")).toBe("allowed");
    // No host endpoint has labels of pods.
    expect(at("projectcalico.org/orchestrator == 'k8s'")).toBe("allowed");
    expect(at("edge == 'yes'", { namespaceSelector: "all()" })).toBe("allowed");
    expect(at("edge == 'yes'", { types: ["Egress"] })).toBe("allowed");
    expect(at("edge == 'yes'", {}, 22)).toBe("allowed"); // a fail-safe port
    expect(at("edge == 'yes'", {}, 8080, { hostEndpoints: [] })).toBe("allowed");
    expect(at("edge == 'yes'", {}, 8080, { ...auto, hostEndpoints: [endpoint("master", "*")] })).toBe("denied");
  });

  test("where templates choose nodes by their labels, whether there is an endpoint depends", () => {
    const inputs = { hostEndpoints: [], kubeControllersConfigurations: [templates] };
    expect(at("all()", {}, 8080, inputs)).toBe("depends");
    expect(at("projectcalico.org/created-by == 'somebody'", {}, 8080, inputs)).toBe("allowed");
  });

  test("of what the node forwards, only policies with applyOnForward count, before translation too", () => {
    const said = (spec: object) => verdict({ selector: "edge == 'yes'", ...spec }, [{ service: "shop/web" }], auto, []);
    expect(said(rules)).toBe("allowed");
    expect(said({ ...rules, applyOnForward: true })).toBe("depends");
    const early = { applyOnForward: true, types: ["Ingress"], ingress: [deny(30080)] };
    expect(said({ ...early, preDNAT: true })).toBe("depends");
    expect(said({ ...early, doNotTrack: true })).toBe("depends");
  });
});

test("a host endpoint at an interface that is no uplink says nothing", () => {
  const only443 = { types: ["Ingress"], ingress: [port(443)] };
  const at = (interfaceName: string, nodes = NODES) =>
    verdict(only443, [{ to: MASTER, port: 8080 }], { hostEndpoints: [endpoint("master", interfaceName)] }, nodes);
  expect(at("eth0")).toBe("denied");
  expect(at("eth1")).toBe("allowed");
  expect(at("eth1", [])).toBe("denied");
});

test("fail-safe ports are those of the FelixConfiguration, and the API server", () => {
  const only443 = { types: ["Ingress", "Egress"], ingress: [port(443)] };
  const ssh = { to: MASTER, port: 22 };
  expect(verdict(only443, [ssh], { configuration: felix({ failsafeInboundHostPorts: [] }) })).toBe("denied");
  const toServer = { from: MASTER, to: { ...client, cidr: "192.0.2.9/32" }, at: "source", port: 443 } as const;
  expect(verdict(only443, [toServer])).toBe("denied");
  const knowing = [told("master", "172.31.1.8", {}, { apiServer: { address: "192.0.2.9", port: 443 } })];
  expect(verdict(only443, [toServer], {}, knowing)).toBe("allowed");
  const toNode = { from: web, to: MASTER, at: "both", port: 8080 } as const;
  expect(verdict(only443, [toNode])).toBe("allowed");
  const drop = { configuration: felix({ defaultEndpointToHostAction: "Drop" }) };
  expect(verdict(only443, [toNode], drop)).toBe("denied");
  expect(verdict(only443, [toNode], { ...drop, hostEndpoints: [] })).toBe("denied");
});

test("preDNAT is asked about what clients wrote, at every node by which they may have come", () => {
  const closed = { preDNAT: true, applyOnForward: true, types: ["Ingress"], ingress: [deny(30080)] };
  const used = { service: "shop/web" };
  expect(verdict(closed, [used])).toBe("denied");
  expect(verdict({ ...closed, ingress: [deny(80)] }, [used])).toBe("allowed");
  // By the other node it may still come in, or by this one.
  expect(verdict(closed, [used], { hostEndpoints: [endpoint("master")] })).toBe("depends");
  expect(verdict(closed, [used], { hostEndpoints: [endpoint("node")] })).toBe("depends");
  const local = { services: [service({ externalTrafficPolicy: "Local" })] };
  expect(verdict(closed, [used], { ...local, hostEndpoints: [endpoint("master")] })).toBe("denied");
  expect(verdict(closed, [used], { ...local, hostEndpoints: [endpoint("node")] })).toBe("allowed");
  expect(verdict(closed, [{}])).toBe("allowed"); // straight to the pod
  // A client of IPv6 has not used an address of IPv4.
  const dual = { services: [service({ externalIPs: ["192.0.2.1"], ipFamilies: ["IPv4", "IPv6"] })] };
  const outside = { ...closed, ingress: [{ action: "Deny", destination: { nets: ["192.0.2.1/32"] } }] };
  const ofIpv6 = [told("master", "fd00:172:31:1::8"), told("node", "fd00:172:31:1::207")];
  const from: FlowEnd = { kind: "network", cidr: "fd00:172:31:1::55/128" };
  expect(verdict(outside, [{ ...used, from }], dual, ofIpv6)).toBe("allowed");
  expect(verdict(outside, [used], dual)).toBe("depends");
  // A Service that nobody declares, or whose address is not assigned yet.
  expect(verdict(closed, [used], { services: [] })).toBe("depends");
  expect(verdict(closed, [used], { services: [service({ type: "LoadBalancer" })] })).toBe("depends");
  expect(verdict(FORWARD, [{ ...used, port: 8080 }], { services: [] })).toBe("allowed");
});
