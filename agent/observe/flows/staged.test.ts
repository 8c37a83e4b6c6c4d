import { expect, test } from "vitest";
import type { FlowEnd, FlowRecord } from "../../../model/flow/record.ts";
import { writtenTo } from "../../../model/flow/written.ts";
import { stagedGlobalNetworkPolicy } from "../../../model/objects/calico-policy/staged.ts";
import { service } from "../../../model/objects/core.ts";
import { networkPolicy } from "../../../model/objects/networking.ts";
import { finish } from "../../../model/steps.ts";
import { ownAddresses } from "./judged-node.ts";
import { withStaged } from "./staged.ts";

const pods = (namespace: string, workload: string): FlowEnd => ({
  ...{ kind: "pods", namespace, workload, labels: { app: workload } },
});
const line = (from: FlowEnd, rest: Partial<FlowRecord> = {}): FlowRecord => ({
  ...{
    type: "flow",
    node: "a",
    at: "both",
    from,
    to: pods("db", "pg"),
    protocol: "TCP",
    port: 5432,
    verdict: "allowed",
  },
  ...{ connections: 1, packetsRefused: 0, active: 0, packets: 0 },
  ...{ first: "2026-11-28T12:00:00.000Z", last: "2026-11-28T12:00:00.000Z", ...rest },
});
const onlyWeb = networkPolicy.parse({
  metadata: { name: "only-web", namespace: "db" },
  spec: { ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "web" } } }] }] },
});

const staged = (records: FlowRecord[], now: object, then: object) => {
  const by = {
    policies: { networkPolicies: [], ...now },
    pools: ["10.244.0.0/16"],
    nodes: new Map(),
    namespaces: new Map(),
  };
  return finish(withStaged(records, { now: by, staged: { networkPolicies: [], ...then } })).map(
    (one) => one.staged?.verdict,
  );
};

const facts = {
  ...{ nodeName: "a", address: "172.31.1.8", subnets: [], localAddresses: [], serviceSubnet: "10.96.0.0/12" },
  ...{ uplinkIfindex: 2, tunnelIfindex: 3 },
};
const WEB = service.parse({
  metadata: { name: "web", namespace: "shop" },
  spec: {
    ...{ type: "NodePort", clusterIP: "10.96.0.10", clusterIPs: ["10.96.0.10"], externalIPs: ["192.0.2.10"] },
    ports: [{ name: "http", port: 80, nodePort: 30604 }],
  },
});

test("says what staged policies would decide, where it differs", () => {
  const records = [
    line(pods("shop", "web")),
    line(pods("shop", "report")),
    line(pods("shop", "report"), { others: true }),
  ];
  expect(staged(records, {}, { networkPolicies: [onlyWeb] })).toEqual([undefined, "denied", undefined]);
  expect(staged(records, { networkPolicies: [onlyWeb] }, {})).toEqual([undefined, "allowed", undefined]);
  expect(staged(records, { networkPolicies: [onlyWeb] }, { networkPolicies: [onlyWeb] })).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("Calico's staged policies are judged in their tier and order", () => {
  const global = stagedGlobalNetworkPolicy.parse({
    metadata: { name: "deny-report" },
    spec: {
      selector: "app == 'pg'",
      order: 10,
      ingress: [{ action: "Deny", source: { selector: "app == 'report'" } }, { action: "Allow" }],
    },
  });
  const records = [line(pods("shop", "web")), line(pods("shop", "report"))];
  expect(staged(records, {}, { globalNetworkPolicies: [global] })).toEqual([undefined, "denied"]);
});

test("what a client may have used of a Service is asked before translation", () => {
  expect(
    writtenTo(
      "shop/web:http",
      "IPv4",
      [WEB],
      ownAddresses({ facts: { ...facts, localAddresses: ["10.9.0.8", "fd00::8"] } }),
    ),
  ).toEqual([
    { address: "192.0.2.10", port: 80 },
    { address: "172.31.1.8", port: 30604 },
    { address: "10.9.0.8", port: 30604 },
  ]);
  expect(writtenTo("shop/web:other", "IPv4", [WEB], ownAddresses({ facts }))).toEqual([]);
  expect(writtenTo("shop/gone", "IPv4", [WEB], ownAddresses({ facts }))).toEqual([]);
});

test("a node's own pods are not judged", () => {
  const node: FlowEnd = { kind: "node", name: "a", addresses: ["172.31.1.8"] };
  expect(staged([line(node), line(node, { at: "destination" })], {}, { networkPolicies: [onlyWeb] })).toEqual([
    undefined,
    "denied",
  ]);
});
