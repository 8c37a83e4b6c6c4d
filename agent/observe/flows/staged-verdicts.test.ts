import { expect, test } from "vitest";
import type { FlowEnd } from "../../../model/flow/record.ts";
import { networkPolicy } from "../../../model/objects/networking.ts";
import { named } from "./ends.ts";
import type { Staging } from "./staged.ts";
import { StagedVerdicts } from "./staged-verdicts.ts";

const [WEB, REPORT, PG, NODE, LATER] = ["10.244.0.2", "10.244.0.3", "10.244.1.9", "172.31.1.8", "10.244.0.9"];
const pods = (namespace: string, workload: string): FlowEnd => ({
  ...{ kind: "pods", namespace, workload, labels: { app: workload } },
});
const known = new Map<string, FlowEnd>([
  [WEB, pods("shop", "web")],
  [REPORT, pods("shop", "report")],
  [PG, pods("db", "pg")],
  [LATER, pods("shop", "later")],
  [NODE, { kind: "node", name: "node", addresses: [NODE] }],
]);
const onlyWeb = networkPolicy.parse({
  metadata: { name: "only-web", namespace: "db" },
  spec: { ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: "web" } } }] }] },
});
const policies = { networkPolicies: [] };
const now = { policies, pools: ["10.244.0.0/16"], nodes: new Map(), namespaces: new Map() };
const closing: Staging = { now, staged: { networkPolicies: [onlyWeb] } };
const opening: Staging = { now: { ...now, policies: { networkPolicies: [onlyWeb] } }, staged: policies };

function verdicts(first: Staging | undefined, clock = () => 0) {
  const state = { staging: first };
  const staged = new StagedVerdicts({
    ...{ node: "node", staging: () => state.staging, now: clock },
    ends: {
      inside: (address) => {
        const end = known.get(address);
        return end && named(end);
      },
      isOn: (_, address) => address === NODE || address === PG,
    },
  });
  const of = (client: string, atOnce = false, protocol = 6) =>
    staged.of({ client, server: PG, port: 5432, protocol }, atOnce);
  return { state, of };
}

test("says what staged policies would decide of a flow between addresses, and whether that is another verdict", () => {
  const { of, state } = verdicts(closing);
  expect(of(WEB)).toEqual({ verdict: "allowed", differs: false });
  expect(of(REPORT)).toMatchObject({ verdict: "denied", differs: true, reason: expect.stringContaining("only-web") });
  expect(of("192.0.2.1")).toMatchObject({ verdict: "denied", differs: true });
  expect(of("192.0.2.1", false, 1)).toMatchObject({ verdict: "denied", differs: true });
  expect(of(NODE)).toMatchObject({ verdict: "allowed", differs: false });
  state.staging = opening;
  expect(of(REPORT)).toMatchObject({ verdict: "allowed", differs: true });
  state.staging = undefined;
  expect(of(REPORT)).toBeUndefined();
});

test("workloads are learnt in a part of the time, and at once for a person", () => {
  let time = 0;
  const { of } = verdicts(closing, () => (time += 1));
  expect(of(WEB)).toBeDefined();
  expect(of(WEB)).toBeDefined();
  expect(of(LATER)).toBeUndefined();
  expect(of(WEB)).toBeDefined();
  expect(of(LATER, true)).toMatchObject({ verdict: "denied" });
  expect(of(REPORT)).toBeUndefined();
  time += 100;
  expect(of(REPORT)).toMatchObject({ verdict: "denied" });
});
