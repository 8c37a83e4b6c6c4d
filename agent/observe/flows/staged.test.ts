import { expect, test } from "vitest";
import type { FlowEnd, FlowRecord } from "../../../model/flow/record.ts";
import { stagedGlobalNetworkPolicy } from "../../../model/objects/calico-policy/staged.ts";
import { networkPolicy } from "../../../model/objects/networking.ts";
import { finish } from "../../../model/steps.ts";
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

test("a node's own pods are not judged", () => {
  const node: FlowEnd = { kind: "node", name: "a", addresses: ["172.31.1.8"] };
  expect(staged([line(node), line(node, { at: "destination" })], {}, { networkPolicies: [onlyWeb] })).toEqual([
    undefined,
    "denied",
  ]);
});
