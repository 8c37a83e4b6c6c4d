// What is kept of policies, pods and identities from one compilation to the next: whatever changed in whatever order, the state is that of
// a compiler that starts now, and no moment between two states leaves a pod with another's identity.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { hostEndpoint } from "../../model/objects/calico-policy/host-endpoint.ts";
import { globalNetworkPolicy } from "../../model/objects/calico-policy/policies.ts";
import { namespace, node, pod } from "../../model/objects/core.ts";
import { networkPolicy } from "../../model/objects/networking.ts";
import { SelectorWords } from "../../model/policy/selector-words.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { type Change, expectNoticed, Following, Forms, forgetChanges, forgetOthers } from "./histories.fixture.ts";
import { NODE_LIMITS } from "./limits.ts";
import { RunningSums } from "./revisions.ts";
import type { ClusterSnapshot, LocalEndpoint } from "./snapshot.ts";

const address = (at: number) => `10.244.0.${at}`;

/** Each object's forms. One whose form is not among them does not exist. */
const pods = [1, 2, 3, 4, 5].map((at) => {
  const of = (labels: Record<string, string>, where = at, more: { status?: object; metadata?: object } = {}) =>
    pod.parse({
      metadata: { name: `p${at}`, namespace: at === 5 ? "beta" : "alpha", labels, ...more.metadata },
      spec: {
        nodeName: where < 3 ? "master" : "node",
        containers: [{ ports: [{ name: "http", containerPort: 8000 + at, protocol: "TCP" }] }],
      },
      status: { phase: "Running", podIPs: [{ ip: address(where) }], ...more.status },
    });
  return [
    of({ app: "web" }),
    of({ app: "db" }),
    of({ app: "web", tier: "front" }),
    of({}),
    of({ app: "web" }, 3), // an address that another pod has
    of({ app: "db" }, at, { metadata: { deletionTimestamp: "2026-11-29T00:00:00Z" } }),
    of({ app: "db" }, at, { status: { phase: "Succeeded" } }),
  ];
});

const namespaces = ["alpha", "beta"].map((name) =>
  [{}, { team: "a" }, { team: "b" }].map((labels) => namespace.parse({ metadata: { name, labels } })),
);

const endpoints = [1, 2].map((at) =>
  [1, 2].map(
    (form): LocalEndpoint => ({
      ...{ namespace: "alpha", pod: `p${at}`, address: address(at), ifindex: 10 * form + at },
      ...{ mac: "02:00:00:00:00:01", hostMac: "02:00:00:00:00:02" },
    }),
  ),
);

const peers = [
  { podSelector: { matchLabels: { app: "web" } } },
  { podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] } },
  { namespaceSelector: { matchLabels: { team: "a" } } },
  { namespaceSelector: {}, podSelector: { matchLabels: { tier: "front" } } },
  { ipBlock: { cidr: "10.244.0.0/29", except: ["10.244.0.4/32"] } },
  { ipBlock: { cidr: "172.31.1.0/24" } },
];
const networkPolicies = ["a", "b", "c"].map((name, at) =>
  peers.flatMap((peer, place) => {
    const of = (spec: object) =>
      networkPolicy.parse({ metadata: { name, namespace: "alpha" }, spec: { podSelector: {}, ...spec } });
    const selected = [{}, { matchLabels: { app: "web" } }, { matchLabels: { app: "db" } }][at];
    return [
      of({ podSelector: selected, ingress: [{ from: [peer], ports: [{ port: 80 + place }] }] }),
      of({ policyTypes: ["Egress"], egress: [{ ...(place > 0 && { to: [peer] }), ports: [{ port: "http" }] }] }),
    ];
  }),
);

const rules = [
  { action: "Deny", source: { selector: "app == 'web'" } },
  { action: "Allow", protocol: "TCP", source: { notSelector: "app == 'db'", ports: ["1:1023"] } },
  { action: "Allow", protocol: "TCP", source: { nets: ["10.244.0.3/32"] }, destination: { notPorts: [22] } },
  { action: "Log", source: { notNets: ["10.244.0.0/30"] } },
];
/** About the end on this side of what a host endpoint forwards. */
const ownEnds = [
  { selector: "app == 'db'" },
  { notSelector: "has(tier)", nets: ["10.244.0.0/29"] },
  { selector: "app == 'web'", ports: ["http"] },
  { selector: "all()", notNets: ["172.31.1.8/32"] },
];
const globalPolicies = (name: string, said: readonly object[], more: object = {}) =>
  said.map((rule, order) =>
    globalNetworkPolicy.parse({
      metadata: { name },
      spec: { order, selector: "has(app)", ingress: [rule, { action: "Allow" }], ...more },
    }),
  );
const forwarded = ownEnds.map((destination) => ({ action: "Deny", protocol: "TCP", destination }));
const globalNetworkPolicies = [
  ...[globalPolicies("g", rules), globalPolicies("h", rules)],
  ...["f", "i"].map((name) => globalPolicies(name, forwarded, { applyOnForward: true })),
];
const hostEndpoints = [{ app: "web" }, { app: "db" }].map((labels, at) =>
  ["172.31.1.8", undefined].map((expected) =>
    hostEndpoint.parse({
      metadata: { name: `host-${at}`, labels },
      spec: { node: "master", interfaceName: at === 0 ? "*" : "eth0", ...(expected && { expectedIPs: [expected] }) },
    }),
  ),
);

const nodes = [
  ["master", "172.31.1.8"],
  ["node", "172.31.1.207", "172.31.1.208"],
].map(([name, ...addresses]) =>
  addresses.map((internal) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address: internal }] } }),
  ),
);

const kinds = { pods, namespaces, endpoints, networkPolicies, globalNetworkPolicies, hostEndpoints, nodes };
type Kind = keyof typeof kinds;

/** One object takes another form, or none. */
const change = fc
  .constantFrom(...(Object.keys(kinds) as Kind[]), "pods" as const, "networkPolicies" as const)
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      object: fc.nat(kinds[kind].length - 1),
      form: fc.nat(kinds[kind][0]?.length ?? 0),
    }),
  );
const history = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 12 });

class World {
  readonly #forms = new Forms<Kind>(kinds);
  readonly #lists = new Map<Kind, readonly object[]>();

  apply(change: Change<Kind>): void {
    this.#forms.apply(change);
    this.#lists.delete(change.kind);
  }

  /** A list is the same object until one of its objects is another, as in the store. */
  #list(kind: Kind): readonly object[] {
    const list = this.#lists.get(kind) ?? this.#forms.list(kind);
    this.#lists.set(kind, list);
    return list;
  }

  snapshot(): ClusterSnapshot {
    const lists = Object.fromEntries((Object.keys(kinds) as Kind[]).map((kind) => [kind, this.#list(kind)]));
    return { ...START, ...lists };
  }
}
const empty = snapshotOf({ namespaceLabels: {}, pods: [], policies: [] });
const uplinks = [{ name: "eth0", ifindex: 2, addresses: ["172.31.1.8"] }];
const START = { ...empty, facts: { ...empty.facts, uplinks } };

function property(policyEntries?: number) {
  return fc.property(history, (rounds) => {
    const limits = policyEntries === undefined ? undefined : { ...NODE_LIMITS, policyEntries };
    const [world, following] = [new World(), new Following(limits)];
    for (const changes of rounds) {
      for (const change of changes) world.apply(change);
      const { state, anew } = following.compile(world.snapshot());
      expect(state.names.identities).toEqual(anew.names.identities);
      expect(state.closedPolicies).toBe(anew.closedPolicies);
    }
  });
}

test("after random changes of policies and pods the state and the maps are those of a compilation from nothing", () => {
  fc.assert(property(), { numRuns: 40 });
});

test("the same where there is not room for all policies", () => {
  fc.assert(property(12), { numRuns: 25 });
});

describe("a forgotten dependency is noticed:", () => {
  test.each([
    ["selectors that mean a pod", () => vi.spyOn(SelectorWords.prototype, "areStill").mockImplementation(() => true)],
    ["pods that depend on more than their object", forgetOthers],
    ["addresses that change an endpoint's revision", () => forgetChanges(RunningSums.prototype, "updating")],
  ])("%s", (_, forget) => expectNoticed(property, forget, 100));
});
