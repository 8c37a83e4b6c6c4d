import { expect, test } from "vitest";
import type { Family } from "../address/address.ts";
import { nodeDirectory } from "../node/nodes.ts";
import { node } from "../objects/core.ts";
import { announcing, endpointNodes, Unannounced } from "./announcing.ts";
import { backendAt, type Standing } from "./backend.ts";
import type { Lost } from "./frontend-claims.ts";
import type { CompiledService } from "./service.ts";

const NAMES = ["one", "two", "three"];
type Traits = Partial<Record<"excluded" | "cordoned" | "leaving", string[]>>;
const nodesOf = ({ excluded = [], cordoned = [], leaving = [] }: Traits) =>
  NAMES.map((name, index) =>
    node.parse({
      metadata: {
        name,
        labels: excluded.includes(name) ? { "node.kubernetes.io/exclude-from-external-load-balancers": "" } : {},
      },
      spec: {
        unschedulable: cordoned.includes(name),
        taints: leaving.includes(name) ? [{ key: "ToBeDeletedByClusterAutoscaler" }] : [],
      },
      status: { addresses: [{ type: "InternalIP", address: `172.31.1.${index + 1}` }] },
    }),
  );
const on = (ready: string[], draining: string[] = []) => ({ ready: new Set(ready), draining: new Set(draining) });
const [one, two, three] = NAMES as [string, string, string];

test.each<[string, Traits, ReturnType<typeof on> | undefined, string[]]>([
  ["all nodes", {}, undefined, NAMES],
  ["none with the label", { excluded: [one] }, undefined, [two, three]],
  ["all, where all have the label", { excluded: NAMES }, undefined, NAMES],
  ["no cordoned one", { cordoned: [one] }, undefined, [two, three]],
  ["no leaving one", { leaving: [one] }, undefined, [two, three]],
  ["cordoned ones before leaving ones", { cordoned: [one, two], leaving: [three] }, undefined, [one, two]],
  ["all, where all are leaving", { leaving: NAMES }, undefined, NAMES],
  ["a cordoned one before those with the label", { excluded: [one, two], cordoned: [three] }, undefined, [three]],
  ["one that is not cordoned, where all have the label", { excluded: NAMES, cordoned: [one, two] }, undefined, [three]],
  ["of Local those with a ready endpoint", {}, on([two], [three]), [two]],
  ["of Local those that still serve, where none is ready", {}, on([], [three]), [three]],
  ["of Local none without endpoints", {}, on([]), []],
  ["of Local a cordoned one, where no other has an endpoint", { cordoned: [two] }, on([two]), [two]],
  ["of Local not the cordoned one", { cordoned: [two] }, on([one, two]), [one]],
  ["of Local none, where endpoints are on nodes with the label", { excluded: [two] }, on([two]), []],
  ["of Local one that still serves before nodes with the label", { excluded: [two] }, on([two], [three]), [three]],
  ["of Local those with endpoints, where all have the label", { excluded: NAMES }, on([two]), [two]],
])("an address is announced by %s", (_, traits, endpoints, expected) => {
  expect(announcing(nodesOf(traits), endpoints).map(({ metadata }) => metadata.name)).toEqual(expected);
});

const facts = {
  nodeName: one,
  address: "172.31.1.1",
  subnets: ["172.31.1.0/24"],
  localAddresses: [],
  serviceSubnet: "10.96.0.0/12",
};

/** As Services have them: a copy of one has no conditions. */
const backend = (address: string, node: string, rest: Partial<Standing> = {}) =>
  backendAt(address, node, {
    ...{
      port: 80,
      protocol: 6,
      local: node === "172.31.1.1",
      hostNetwork: false,
      draining: false,
      hints: {},
      weight: 1,
    },
    ...{ ready: true, servingTerminating: false },
    ...rest,
  }).backend;
const frontend = (address: string, family: Family, rest: object = {}) => ({
  key: { address, port: 80, protocol: 6 },
  family,
  claim: "load balancer",
  trafficPolicy: "Local",
  path: "status.loadBalancer.ingress",
  ...rest,
});
const web = (frontends: object[], backends: object[]) =>
  ({
    ...{ owner: "Service default/web", kind: "Service", frontends, backends },
    object: { metadata: { namespace: "default", name: "web" } },
  }) as unknown as CompiledService;

test("endpoints are where their backends are forwarded to, by family", () => {
  const { backends } = web(
    [],
    [
      backend("10.1.0.1", "172.31.1.1"),
      backend("10.1.1.1", "172.31.1.2", { ready: false }),
      backend("10.1.2.1", "172.31.1.3", { ready: false, servingTerminating: true }),
      backend("203.0.113.1", "::"),
      backend("fd00::1", "172.31.1.2"),
    ],
  );
  const directory = nodeDirectory(nodesOf({}), facts);
  expect(endpointNodes(backends, "IPv4", directory)).toEqual(on([one], [three]));
  expect(endpointNodes(backends, "IPv6", directory)).toEqual(on([two]));
});

test("a Service with Local is told once that only nodes with the label have its endpoints, whatever its addresses", () => {
  const both = web(
    [
      frontend("172.31.1.240", "IPv4"),
      frontend("172.31.1.240", "IPv4", { key: { address: "172.31.1.240", port: 443, protocol: 6 } }),
      frontend("fd00::240", "IPv6"),
    ],
    [backend("10.1.1.1", "172.31.1.2"), backend("fd00::1", "172.31.1.2")],
  );
  const kept = new Unannounced();
  const said = (
    service: CompiledService,
    traits: Traits,
    is = true,
    lost: ReadonlyMap<CompiledService, Lost> = new Map(),
  ) => kept.problems([service], lost, nodesOf(traits), nodeDirectory(nodesOf(traits), facts), () => is);
  expect(said(both, { excluded: [two] })).toEqual([
    {
      ...{ kind: "Service", namespace: "default", name: "web", path: "status.loadBalancer.ingress" },
      message: expect.stringMatching(
        /^no node announces 172\.31\.1\.240, fd00::240: the nodes with its ready endpoints \(two\) have the label/,
      ),
    },
  ]);
  // Another node announces, all have the label, none does, nobody would announce it, or it belongs to another Service.
  const there = web([frontend("172.31.1.240", "IPv4")], [backend("10.1.0.1", "172.31.1.1"), ...both.backends]);
  expect(said(there, { excluded: [two] })).toEqual([]);
  expect(said(both, { excluded: NAMES })).toEqual([]);
  expect(said(both, {})).toEqual([]);
  expect(said(both, { excluded: [two] }, false)).toEqual([]);
  expect(said(web([frontend("172.31.1.240", "IPv4")], []), { excluded: [two] })).toEqual([]);
  const everywhere = web([frontend("172.31.1.240", "IPv4", { trafficPolicy: "Cluster" })], [...both.backends]);
  expect(said(everywhere, { excluded: [two] })).toEqual([]);
  const [rule] = both.frontends;
  const all = new Map(both.frontends.map(({ key }) => [`${key.address}:${key.port}/tcp`, { rule, reason: "" }]));
  expect(said(both, { excluded: [two] }, true, new Map([[both, all as Lost]]))).toEqual([]);
});
