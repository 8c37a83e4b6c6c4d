// What nodes forward, receive and send themselves is asked of their host endpoints, wherever the pods may run.
import { describe, expect, test } from "vitest";
import type { WrittenObject } from "../declared/objects.ts";
import { deployment, policy, scene, service } from "../testing/objects.ts";
import { castOf, type Scene } from "./cast.ts";
import { reachTable } from "./table.ts";

const rowsOf = (objects: WrittenObject[], more: Partial<Scene> = {}) =>
  new Map(reachTable(castOf(scene(objects, more))).map((row) => [`${row.from} > ${row.to}`, row]));
const verdicts = (objects: WrittenObject[], more: Partial<Scene> = {}) =>
  Object.fromEntries([...rowsOf(objects, more)].map(([pair, { verdict }]) => [pair, verdict]));
const calico = (kind: string, name: string, spec: object): WrittenObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec },
});
const hostEndpoint = (node: string): WrittenObject => ({
  ...calico("HostEndpoint", `${node}-eth0`, { node, interfaceName: "eth0" }),
  metadata: { name: `${node}-eth0`, labels: { edge: node } } as { name: string },
});
const automatic = calico("KubeControllersConfiguration", "default", {
  controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
});
/** Of host endpoints alone: all() would mean pods, too. */
const AUTOMATIC = "has(projectcalico.org/created-by)";
const global = (spec: object) => calico("GlobalNetworkPolicy", "hosts", spec);
const forwarded = (types: string[], rules: object) => ({ applyOnForward: true, types, ...rules });
const refuseClient1 = { ingress: [{ action: "Deny", source: { nets: ["172.31.1.55/32"] } }, { action: "Allow" }] };

const nginx = [deployment("nginx", { node: "node" }), service("nginx")];
const near = deployment("near", { node: "node" });
const far = deployment("far", { node: "master" });
/** Pods in a node's own network, with their port. */
function inHostNetwork(name: string, nodeName: string | undefined, containerPort = 5432): WrittenObject {
  const spec = {
    hostNetwork: true,
    ...(nodeName && { nodeName }),
    containers: [{ image: "a", ports: [{ containerPort }] }],
  };
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } } as { name: string }, spec };
}
const store = [inHostNetwork("store", "node")];

describe("what nodes forward", () => {
  test("is refused where the pod's node refuses it, by whichever node it comes in, and the policy is named", () => {
    const spec = forwarded(["Ingress"], { selector: "edge == 'node'", ...refuseClient1 });
    const rows = rowsOf([...nginx, hostEndpoint("node"), global(spec)]);
    expect(rows.get("client1 > nginx:80")).toMatchObject({
      verdict: "depends",
      policies: ["GlobalNetworkPolicy hosts"],
    });
    expect(rows.get("client2 > nginx:80")).toMatchObject({ verdict: "allowed" });
    const both = forwarded(["Ingress"], { selector: "has(edge)", ...refuseClient1 });
    const everywhere = [...nginx, hostEndpoint("node"), hostEndpoint("master"), global(both)];
    expect(verdicts(everywhere)).toMatchObject({ "client1 > nginx:80": "dropped", "client2 > nginx:80": "allowed" });
  });

  test("is not asked between pods of one node, and depends on the node where that is not known", () => {
    const closed = forwarded(["Egress"], { selector: "has(edge)", egress: [{ action: "Deny", protocol: "TCP" }] });
    const objects = [
      ...nginx,
      near,
      far,
      deployment("anywhere"),
      hostEndpoint("node"),
      hostEndpoint("master"),
      global(closed),
    ];
    expect(verdicts(objects, { wraps: "never" })).toMatchObject({
      "near > nginx:80": "allowed",
      "far > nginx:80": "dropped",
      "anywhere > nginx:80": "depends",
      "other pods of default > nginx:80": "depends",
      "client1 > nginx:80": "allowed",
    });
    // The tunnel is none of the interfaces that these host endpoints name.
    expect(verdicts(objects, { wraps: "always" })["far > nginx:80"]).toBe("allowed");
    const all = [...nginx, far, automatic, global({ ...closed, selector: AUTOMATIC })];
    expect(verdicts(all, { wraps: "always" })["far > nginx:80"]).toBe("dropped");
  });

  test("is judged by what the client wrote, before translation", () => {
    const early = (port: number) =>
      global({
        ...{ selector: "all()", applyOnForward: true, preDNAT: true },
        ingress: [{ action: "Deny", protocol: "TCP", destination: { ports: [port] } }],
      });
    expect(verdicts([...nginx, automatic, early(30604)])["client1 > nginx:80"]).toBe("dropped");
    expect(verdicts([...nginx, automatic, early(80)])["client1 > nginx:80"]).toBe("allowed");
    // The port that the cluster will choose is not known.
    const unnumbered = [deployment("nginx"), service("nginx", { ports: [{ port: 80 }] }), automatic];
    expect(verdicts([...unnumbered, early(30604)])["client1 > nginx:80"]).toBe("depends");
  });

  test("depends on what kube-proxy makes of it", () => {
    const spec = forwarded(["Ingress"], { selector: AUTOMATIC, ingress: [{ action: "Deny" }] });
    expect(verdicts([...nginx, automatic, global(spec)], { keepsSource: false })["client1 > nginx:80"]).toBe("depends");
    const open = forwarded(["Ingress"], { selector: AUTOMATIC, ingress: [{ action: "Allow" }] });
    expect(verdicts([...nginx, automatic, global(open)], { keepsSource: false })["client1 > nginx:80"]).toBe("allowed");
  });
});

describe("the nodes themselves", () => {
  test("a host endpoint closes its node, but for fail-safe ports; an automatic one leaves it open", () => {
    const closed = rowsOf([...store, inHostNetwork("kubelet", "node", 10250), near, far, hostEndpoint("node")], {
      wraps: "never",
    });
    const verdict = (pair: string) => closed.get(pair)?.verdict;
    expect(verdict("client1 > pods store:5432")).toBe("dropped");
    expect(verdict("far > pods store:5432")).toBe("dropped");
    expect(verdict("other nodes > pods store:5432")).toBe("dropped");
    expect(verdict("near > pods store:5432")).toBe("allowed");
    expect(verdict("client1 > pods kubelet:10250")).toBe("allowed");
    expect(closed.get("far > pods store:5432")?.policies).toEqual(["HostEndpoint node-eth0"]);
    expect(verdicts([...store, near, automatic])["client1 > pods store:5432"]).toBe("allowed");
  });

  test.each([
    ["Accept", "allowed"],
    ["Drop", "dropped"],
    ["Return", "dropped"],
  ])("a pod reaches its own node as defaultEndpointToHostAction says: %s", (defaultEndpointToHostAction, verdict) => {
    const felix = calico("FelixConfiguration", "default", { defaultEndpointToHostAction });
    const all = calico("HostEndpoint", "node", { node: "node", interfaceName: "*" });
    const rows = verdicts([...store, near, felix, all]);
    expect(rows["near > pods store:5432"]).toBe(verdict);
  });

  test("a pod's own policies count on the way to its node if they are Calico's; Kubernetes' always let it there", () => {
    const kubernetes = policy("quiet", "near", { policyTypes: ["Egress"], egress: [] });
    expect(verdicts([...store, automatic, near, kubernetes])["near > pods store:5432"]).toBe("allowed");
    expect(verdicts([inHostNetwork("store", undefined), automatic, near, kubernetes])["near > pods store:5432"]).toBe(
      "depends",
    );
    const own = calico("NetworkPolicy", "quiet", { selector: "app == 'near'", types: ["Egress"], egress: [] });
    expect(verdicts([...store, automatic, near, own])["near > pods store:5432"]).toBe("dropped");
  });

  test("a node reaches its own pods, whatever policies say, and those of others as they and it say", () => {
    const closed = policy("closed", "nginx", { ingress: [] });
    const to = [...nginx, inHostNetwork("here", "node"), inHostNetwork("there", "master"), hostEndpoint("master")];
    expect(verdicts([...to, closed], { wraps: "never" })["other nodes > nginx:80"]).toBe("dropped");
    const egress = {
      selector: "has(edge)",
      types: ["Egress"],
      egress: [{ action: "Deny", destination: { ports: [80] }, protocol: "TCP" }],
    };
    const rows = rowsOf([...to, global(egress)], { wraps: "never" });
    expect(rows.get("other nodes > nginx:80")).toMatchObject({
      verdict: "dropped",
      policies: ["GlobalNetworkPolicy hosts"],
    });
  });
});

describe("labels of nodes are not known before they join", () => {
  const zone = (selector: string) => global(forwarded(["Ingress"], { selector, ingress: [{ action: "Deny" }] }));

  test("policies that select automatic host endpoints by them are open, others are not", () => {
    expect(verdicts([...nginx, automatic, zone("zone == 'a'")])["client1 > nginx:80"]).toBe("depends");
    expect(verdicts([...nginx, automatic, zone(AUTOMATIC)])["client1 > nginx:80"]).toBe("dropped");
  });

  test("so are rules of pods' policies about nodes", () => {
    const only = (selector: string) =>
      calico("NetworkPolicy", "p", {
        ...{ selector: "app == 'nginx'", types: ["Ingress"] },
        ingress: [{ action: "Allow", source: { selector, namespaceSelector: "global()" } }],
      });
    const pair = "other nodes > nginx:80";
    expect(verdicts([...nginx, automatic, only("zone == 'a'")])[pair]).toBe("depends");
    expect(verdicts([...nginx, automatic, only(AUTOMATIC)])[pair]).toBe("allowed");
    expect(verdicts([...nginx, only("zone == 'a'")])[pair]).toBe("dropped");
  });
});

test("of a cluster whose nodes are not declared, a host endpoint of one is asked of one", () => {
  const web = [deployment("web"), service("web")];
  const rows = (selector: string, ...more: WrittenObject[]) =>
    verdicts([...web, ...more, global(forwarded(["Ingress"], { selector, ingress: [{ action: "Deny" }] }))], {
      nodes: [],
    });
  expect(rows("has(edge)", hostEndpoint("gateway"))["client1 > web:80"]).toBe("depends");
  expect(rows(AUTOMATIC, automatic)["client1 > web:80"]).toBe("dropped");
  expect(rows(AUTOMATIC)["client1 > web:80"]).toBe("allowed");
});
