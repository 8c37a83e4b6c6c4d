import { expect, test } from "vitest";
import type { ClusterView } from "../cluster/view.ts";
import { addressesOf, destinationOf } from "./explain-command.ts";
import { readExplanation } from "./read-explanation.ts";

const pod = (namespace: string, name: string, ip: string) => ({
  ...{ metadata: { namespace, name, labels: { app: "web" } }, spec: { containers: [] } },
  status: { podIPs: [{ ip }] },
});
const view: ClusterView = {
  agentNamespace: "ebpf-dataplane",
  nodes: [{ metadata: { name: "master" }, status: { addresses: [{ type: "InternalIP", address: "172.31.1.8" }] } }],
  pods: [
    pod("shop", "web-6b4899dc4c-bmsvl", "10.244.0.2"),
    pod("shop", "pg", "10.244.0.3"),
    pod("shop", "both", "10.244.0.4"),
  ],
  services: [{ metadata: { namespace: "shop", name: "both" }, spec: { clusterIPs: ["10.96.0.9"] } }],
  endpointSlices: [],
};
const machines = [{ name: "client1", address: "172.31.1.55", addressIpv6: "fd00::55" }];
const found = (text: string, orService = true) => addressesOf(view, machines, text, orService);

test.each([
  ["db/pg:5432", { protocol: "tcp", host: "db/pg", port: 5432 }],
  ["udp://service/kube-system/kube-dns:53", { protocol: "udp", host: "service/kube-system/kube-dns", port: 53 }],
  ["[fd00::8]:80", { protocol: "tcp", host: "fd00::8", port: 80 }],
  ["icmp://node/master", { protocol: "icmp", host: "node/master", port: 0 }],
])("a destination %s", (text, expected) => {
  expect(destinationOf(text)).toEqual(expected);
});

test.each(["db/pg", "db/pg:0", "db/pg:70000", "http://db/pg:80"])("%s is no destination", (text) => {
  expect(() => destinationOf(text)).toThrow("allowed: HOST:PORT");
});

test.each([
  ["10.0.0.1", ["10.0.0.1"]],
  ["client1", ["172.31.1.55", "fd00::55"]],
  ["node/master", ["172.31.1.8"]],
  ["shop/pg", ["10.244.0.3"]],
  ["shop/web", ["10.244.0.2"]],
  ["pod/shop/pg", ["10.244.0.3"]],
  ["shop/both", ["10.96.0.9"]],
  ["service/shop/both", ["10.96.0.9"]],
])("%s stands for %s", (text, expected) => {
  expect(found(text)).toEqual(expected);
});

test("a service sends nothing: its name stands for the pod", () => {
  expect(found("shop/both", false)).toEqual(["10.244.0.4"]);
});

test.each([
  ["clinet1", 'there is no machine "clinet1"; did you mean "client1"?'],
  ["shop/bth", 'there is no service or pod shop/bth; did you mean "shop/both"?'],
  ["shop/wbe", 'there is no service or pod shop/wbe; did you mean "shop/web"?'],
  ["service/shop/boht", 'service/shop/boht does not exist; did you mean "service/shop/both"?'],
])("a misspelt name %s suggests the nearest", (text, message) => {
  expect(() => found(text)).toThrow(message);
});

test("a node's answer is that node's, whatever it says; what is none is an error", () => {
  const end = { direction: "egress", node: "b", end: "pod shop/web", policies: "", peer: [], tiers: [] };
  const way = {
    to: { address: "10.244.0.3", port: 80, name: "pod shop/pg" },
    ends: [{ ...end, verdict: "allow", reason: "no policy applies" }],
  };
  const answer = { node: "b", from: { address: "10.244.0.2", name: "pod shop/web" }, ways: [way] };
  const { node, ways } = readExplanation(answer, "a");
  expect([node, ways[0]?.ends[0]?.node]).toEqual(["a", "a"]);
  for (const wrong of [null, "x", {}, { ...answer, ways: [{}] }])
    expect(() => readExplanation(wrong, "a")).toThrow("no explanation");
});
