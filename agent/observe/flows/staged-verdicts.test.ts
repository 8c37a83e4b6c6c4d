import { expect, test } from "vitest";
import { hostsOf } from "../../../model/flow/host-stages.fixture.ts";
import type { JudgedBy } from "../../../model/flow/judged-by.ts";
import type { FlowEnd } from "../../../model/flow/record.ts";
import { networkPolicy } from "../../../model/objects/networking.ts";
import { schemas } from "../../../model/objects/schemas.ts";
import { withKey } from "./ends.ts";
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
        return end && withKey(end);
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

test("what an entry node sends on is judged where it has host endpoints", () => {
  const preDnat = schemas.globalNetworkPolicies.parse({
    metadata: { name: "early" },
    spec: {
      ...{ selector: "role == 'db'", preDNAT: true, applyOnForward: true },
      ingress: [{ action: "Deny", protocol: "TCP", destination: { ports: [30604] } }],
    },
  });
  const staged = { networkPolicies: [], globalNetworkPolicies: [preDnat] };
  const said = (hosts: Partial<JudgedBy>, atOnce = false) => {
    const staging = { now: { ...now, ...hosts }, staged };
    const ends = { inside: (address: string) => known.get(address) && withKey(known.get(address) as FlowEnd) };
    const all = { ...ends, isOn: (_: string, address: string) => address === NODE };
    const verdicts = new StagedVerdicts({ node: "node", ends: all, staging: () => staging });
    const used = { destination: NODE, destinationPort: 30604 };
    return verdicts.of({ client: "192.0.2.1", server: LATER, port: 80, protocol: 6, used }, atOnce);
  };
  expect(said({ hosts: hostsOf() })).toMatchObject({ verdict: "denied", differs: true });
  expect(said({ hosts: hostsOf() }, true)).toMatchObject({ verdict: "denied", differs: true });
  expect(said({})).toBeUndefined();
});

test("a person hears what each end would say that says something else now, tier by tier", () => {
  const explained = (staging: Staging, client: string, sourcePort = 40_000) => {
    const ends = { inside: (address: string) => known.get(address) && withKey(known.get(address) as FlowEnd) };
    const all = { ...ends, isOn: (_: string, address: string) => address === PG };
    const staged = new StagedVerdicts({ node: "node", ends: all, staging: () => staging });
    return staged.explain({ client, server: PG, port: 5432, protocol: 6, sourcePort });
  };
  const end = { direction: "ingress", end: "pods of db/pg" };
  expect(explained(closing, REPORT)).toMatchObject({
    ...{ verdict: "denied", differs: true },
    ends: [
      {
        ...end,
        policies: "NetworkPolicy db/only-web",
        verdict: "denied",
        tiers: [{ tier: "default", verdict: "deny" }],
      },
    ],
  });
  // Allowed as before, but by a rule.
  expect(explained(closing, WEB)).toMatchObject({
    ...{ verdict: "allowed", differs: false },
    ends: [{ ...end, tiers: [{ tier: "default", verdict: "allow", reason: expect.stringContaining("only-web") }] }],
  });
  expect(explained(opening, REPORT)).toMatchObject({
    ...{ verdict: "allowed", differs: true, ends: [{ ...end, policies: "", tiers: [], verdict: "allowed" }] },
  });
  expect(explained({ now, staged: policies }, REPORT)?.ends).toEqual([]);
  const fromOnePort = schemas.calicoNetworkPolicies.parse({
    metadata: { name: "port", namespace: "db" },
    spec: { ingress: [{ action: "Allow", protocol: "TCP", source: { ports: [40_000] } }] },
  });
  const bySourcePort = { now, staged: { networkPolicies: [], calicoNetworkPolicies: [fromOnePort] } };
  expect(explained(bySourcePort, REPORT)?.verdict).toBe("allowed");
  expect(explained(bySourcePort, REPORT, 40_001)?.verdict).toBe("denied");
});

test("... and which host endpoint would, at which stage", () => {
  const gnp = (name: string, spec: object) =>
    schemas.globalNetworkPolicies.parse({ metadata: { name }, spec: { selector: "role == 'db'", ...spec } });
  const early = (action: string) => ({
    ...{ preDNAT: true, applyOnForward: true },
    ingress: [{ action, protocol: "TCP", destination: { ports: [30604] } }],
  });
  const said = (now_: object[], then: object[], port = 30604) => {
    const ends = { inside: (address: string) => known.get(address) && withKey(known.get(address) as FlowEnd) };
    const all = { ...ends, isOn: (_: string, address: string) => address === NODE };
    const by = (list: object[]) => ({ networkPolicies: [], globalNetworkPolicies: list as ReturnType<typeof gnp>[] });
    const staging = { now: { ...now, hosts: hostsOf(), policies: by(now_) }, staged: by(then) };
    const used = { destination: NODE, destinationPort: port };
    return new StagedVerdicts({ node: "node", ends: all, staging: () => staging }).explain({
      ...{ client: "192.0.2.1", server: LATER, port: 80, protocol: 6, used },
    });
  };
  expect(said([], [gnp("early", early("Deny"))])).toMatchObject({
    verdict: "denied",
    ends: [
      {
        ...{
          direction: "ingress",
          end: expect.stringMatching(/, before translation$/),
          policies: "GlobalNetworkPolicy early",
        },
        tiers: [{ tier: "default", verdict: "deny" }],
      },
    ],
  });
  expect(said([], [gnp("early", early("Deny"))], 30605)?.ends).toMatchObject([{ undecided: true }]);
  const deny = { applyOnForward: true, types: ["Ingress"], ingress: [{ action: "Deny" }] };
  expect(said([], [gnp("late", deny)])).toMatchObject({
    ...{ verdict: "denied", ends: [{ end: expect.stringMatching(/, of what the node forwards$/) }] },
  });
  expect(said([gnp("late", deny)], [])).toMatchObject({ verdict: "allowed", differs: true, ends: [{ policies: "" }] });
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
