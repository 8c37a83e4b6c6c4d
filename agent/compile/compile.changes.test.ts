// The compiler keeps what did not change. Whatever changed in whatever order, what it keeps is what a compiler that starts now finds.
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { DerivedList } from "../../model/derived-list.ts";
import { nodeDirectory } from "../../model/node/nodes.ts";
import { felixConfiguration } from "../../model/objects/calico.ts";
import { node, pod, service } from "../../model/objects/core.ts";
import { endpointSlice } from "../../model/objects/discovery.ts";
import { externalIpPolicy } from "../../model/service/external-ips.ts";
import { FrontendClaims } from "../../model/service/frontend-claims.ts";
import { frontendRules } from "../../model/service/frontend-rules.ts";
import { ServiceSet } from "../../model/service/services.ts";
import { SliceGroups } from "../../model/service/slice-groups.ts";
import { finish } from "../../model/steps.ts";
import { snapshotOf } from "../../test/model/random-snapshot.ts";
import { type Change, expectNoticed, Following, Forms, forgetChanges, forgetOthers } from "./histories.fixture.ts";
import { text } from "./said-by.fixture.ts";
import type { ClusterSnapshot } from "./snapshot.ts";

const NAMES = ["a", "b", "c", "d"];

const services = NAMES.map((name, at) => {
  const of = (spec: object, labels = {}) =>
    service.parse({
      metadata: { name, namespace: "default", labels, creationTimestamp: `2026-01-0${1 + at}T00:00:00Z` },
      spec: { clusterIPs: [`10.96.0.${1 + at}`], ports: [{ name: "http", port: 80, nodePort: 30_080 }], ...spec },
    });
  return [
    of({}),
    of({ type: "NodePort" }),
    of({ externalIPs: ["198.51.100.7"], sessionAffinity: "ClientIP" }),
    of({ externalIPs: ["10.96.0.1", "172.31.1.207"], externalTrafficPolicy: "Local" }),
    of({ type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"], externalIPs: ["198.51.100.7"] }),
    of({}, { "service.kubernetes.io/headless": "" }),
  ];
});

const slices = NAMES.flatMap((name) =>
  ["x", "y"].map((part) => {
    const of = (labels: object, ...endpoints: object[]) =>
      endpointSlice.parse({
        metadata: { name: `${name}-${part}`, namespace: "default", labels },
        addressType: "IPv4",
        ports: [{ name: "http", port: 8080 }],
        endpoints,
      });
    const labels = { "kubernetes.io/service-name": name };
    const here = { addresses: ["10.244.0.1"], nodeName: "master" };
    const there = { addresses: ["10.244.0.2"], nodeName: "node", conditions: { ready: part === "x" } };
    const somewhere = { addresses: ["10.244.0.3"] };
    return [
      of(labels, here),
      of(labels, here, there),
      of(labels, there, somewhere),
      of({ "kubernetes.io/service-name": "a" }, somewhere),
      of({ ...labels, "service.kubernetes.io/service-proxy-name": "other" }, here),
    ];
  }),
);

const pods = [1, 2, 3].map((at) => {
  const of = (nodeName: string, hostPort?: number) =>
    pod.parse({
      metadata: { name: `p${at}`, namespace: "default" },
      spec: { nodeName, containers: [{ ports: [{ containerPort: 8080, hostPort }] }] },
      status: { phase: "Running", podIPs: [{ ip: `10.244.0.${at}` }] },
    });
  return [of("master"), of("node"), of("master", 30_080), of("master", 8080)];
});

const nodes = ["master", "node"].map((name, at) => {
  const of = (address: string) =>
    node.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
  return [of(["172.31.1.8", "172.31.1.207"][at] as string), of("172.31.1.208")];
});

const configurations = [
  ["198.51.100.0/24", "10.96.0.0/16"].map((network) =>
    felixConfiguration.parse({ metadata: { name: "default" }, spec: { bpfDSROptoutCIDRs: [network] } }),
  ),
];

const kinds = { services, endpointSlices: slices, pods, nodes, felixConfigurations: configurations };
type Kind = keyof typeof kinds;

const change: fc.Arbitrary<Change<Kind>> = fc.oneof(
  ...(Object.entries(kinds) as [Kind, object[][]][]).map(([kind, objects]) => ({
    weight: objects.length,
    arbitrary: fc.record({
      kind: fc.constant(kind),
      object: fc.nat(objects.length - 1),
      form: fc.nat((objects[0]?.length ?? 0) - 1 + (kind === "nodes" ? 0 : 1)),
    }),
  })),
);

/** Rounds of changes; each is compiled. The last is always the same in another order, as after a new list. */
const history = fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 12 });

class World extends Forms<Kind> {
  constructor() {
    super(kinds);
  }

  snapshot(reversed: boolean): ClusterSnapshot {
    const all = (kind: Kind) => (reversed ? this.list(kind).reverse() : this.list(kind));
    return {
      ...snapshotOf({ namespaceLabels: { default: {} }, pods: [], policies: [] }),
      endpoints: ENDPOINTS,
      ...(Object.fromEntries((Object.keys(kinds) as Kind[]).map((kind) => [kind, all(kind)])) as object),
    };
  }
}

const ENDPOINTS = [1, 3].map((at) => ({
  namespace: "default",
  pod: `p${at}`,
  address: `10.244.0.${at}`,
  ifindex: at,
  mac: "02:00:00:00:00:01",
  hostMac: "02:00:00:00:00:02",
}));

function property() {
  return fc.property(history, (rounds) => {
    const [world, following] = [new World(), new Following()];
    for (const [round, changes] of [...rounds, []].entries()) {
      for (const change of changes) world.apply(change);
      following.compile(world.snapshot(round === rounds.length));
    }
  });
}

test("after random changes the state and the maps are those of a compilation from nothing", () => {
  fc.assert(property(), { numRuns: 50 });
});

test("the same where there is not room for all services", () => {
  const few = { frontends: 9, endpoints: 5, backends: 3, sourceRanges: 1 };
  const { facts, ...start } = new World().snapshot(false);
  const nodes = nodeDirectory(start.nodes, facts);
  const rules = frontendRules({ accepted: [], problems: [] }, [], externalIpPolicy(undefined), nodes);
  let closed = 0;
  const property = fc.property(history, (rounds) => {
    const [world, kept] = [new World(), new ServiceSet(few)];
    for (const changes of rounds) {
      for (const change of changes) world.apply(change);
      const snapshot = world.snapshot(false);
      const said = [kept, new ServiceSet(few)].map((set) => finish(set.compiling(snapshot, nodes, rules)));
      const [ours, anew] = said.map(({ compiled, problems, healthChecks, closed }) => {
        const items = compiled.map(({ owner, frontends, backends }) => [owner, text(frontends), text(backends)]);
        return { items, problems: problems.map(text).sort(), healthChecks, closed };
      });
      expect(ours).toEqual(anew);
      closed += ours?.closed ?? 0;
    }
  });
  fc.assert(property, { numRuns: 50 });
  expect(closed).toBeGreaterThan(0);
});

describe("a forgotten dependency is noticed:", () => {
  test.each([
    [
      "slices of a service",
      () => {
        const { update } = SliceGroups.prototype;
        return vi.spyOn(SliceGroups.prototype, "update").mockImplementation(function (this: never, slices) {
          update.call(this, slices);
          return [];
        });
      },
    ],
    [
      "what all items of a list depend on",
      () => {
        const { deriving } = DerivedList.prototype;
        return vi.spyOn(DerivedList.prototype, "deriving").mockImplementation(function (
          this: never,
          items,
          _,
          ...rest
        ) {
          return deriving.call(this, items, [], ...rest) as never;
        });
      },
    ],
    ["items that depend on more than the list", forgetOthers],
    ["claims of others", () => forgetChanges(FrontendClaims.prototype, "settling")],
  ])("%s", (_, forget) => expectNoticed(property, forget, 150));
});
