// What is said of host endpoints: from maps in memory, as the compiler fills them.
import { describe, expect, test } from "vitest";
import { schemas } from "../../../model/objects/schemas.ts";
import { longestMatch } from "../../../test/model/packet-path.ts";
import { Compiler } from "../../compile/compile.ts";
import { type ClusterSnapshot, noObjects } from "../../compile/snapshot.ts";
import type { MapStore } from "../../kernel/map-store.ts";
import { memoryMaps } from "../../kernel/memory-map.ts";
import { Reconciler } from "../../reconcile/reconciler.ts";
import type { Asked } from "./answers.ts";
import { Explainer } from "./explainer.ts";
import type { Towards } from "./interfaces.ts";

const [master, client] = ["172.31.1.8", "172.31.1.55"];
const facts: ClusterSnapshot["facts"] = {
  ...{ nodeName: "master", address: master, subnets: ["172.31.1.0/24"], serviceSubnet: "10.96.0.0/12" },
  ...{ localAddresses: [], uplinkIfindex: 2, tunnelIfindex: 9 },
  uplinks: [{ name: "eth0", ifindex: 2, addresses: [master] }],
};
const policy = (name: string, spec: object) =>
  schemas.globalNetworkPolicies.parse({ metadata: { name }, spec: { selector: "role == 'db'", ...spec } });
const egress = (action: string, port: number) => ({ action, protocol: "UDP", destination: { ports: [port] } });

const withAddress = (name: string, address: string) =>
  schemas.nodes.parse({ metadata: { name }, status: { addresses: [{ type: "InternalIP", address }] } });
const hostEndpoint = (name: string, interfaceName: string) =>
  schemas.hostEndpoints.parse({
    metadata: { name, labels: { role: "db", at: name } },
    spec: { node: "master", interfaceName },
  });

/** What decides about UDP, in order. */
function explained(
  snapshot: Partial<ClusterSnapshot>,
  flow: Partial<Asked> & { port: number },
  towards: Towards = () => undefined,
) {
  const nodes = [withAddress("master", master)];
  const whole = { ...noObjects, facts, endpoints: [], nodes, ...snapshot };
  const { maps, names, contents } = new Compiler().compile(whole);
  const stored = memoryMaps();
  new Reconciler(stored).sync(maps);
  const byPrefix = <K extends { prefixLength: number }, V>(map: MapStore<K, V>): MapStore<K, V> =>
    Object.create(map, { lookup: { value: longestMatch.bind(undefined, map) } });
  const asKernel = { ...stored, locations: byPrefix(stored.locations), policies: byPrefix(stored.policies) };
  const explainer = new Explainer({
    ...{ node: "master", maps: asKernel, contents: () => contents, towards },
    names: { owner: () => undefined, service: () => undefined, policy: (number) => names.policies.get(number) ?? "" },
  });
  const { ways } = explainer.explain({ from: master, to: client, protocol: 17, sourcePort: 40_000, ...flow });
  return ways.flatMap(({ ends }) =>
    ends.map(({ end, policies, verdict, undecided }) => ({
      by: policies.replaceAll("GlobalNetworkPolicy ", ""),
      at: end === master ? "the node" : end,
      verdict: undecided ? "next" : verdict,
    })),
  );
}

/** Of what the node sends, with doNotTrack policies. */
function sent(port: number, untracked: object) {
  const globalNetworkPolicies = [
    policy("own", { types: ["Egress"], egress: [egress("Allow", 5000)] }),
    policy("untracked", { doNotTrack: true, applyOnForward: true, ...untracked }),
  ];
  return explained({ hostEndpoints: [hostEndpoint("host", "eth0")], globalNetworkPolicies }, { port });
}

const leaving = "the uplink, of each packet, whatever its connection";
const types = { types: ["Egress"] };

test("what doNotTrack allows the node to send goes past its own policies", () => {
  const rules = { ...types, egress: [egress("Allow", 6000)] };
  expect(sent(6000, rules)).toEqual([{ by: "untracked", at: leaving, verdict: "allow" }]);
});

test("what doNotTrack refuses does not leave, whatever they say", () => {
  const rules = { ...types, egress: [egress("Deny", 5000)] };
  expect(sent(5000, rules)).toEqual([{ by: "untracked", at: leaving, verdict: "deny" }]);
});

test("where no rule of doNotTrack decides they are asked, and where it is about what comes in only, nothing else is", () => {
  const own = { by: "own", at: "the node", verdict: "allow" };
  expect(sent(5000, { ...types, egress: [egress("Allow", 6000)] })).toEqual([
    { by: "untracked", at: leaving, verdict: "next" },
    own,
  ]);
  const incoming = { types: ["Ingress"], ingress: [{ action: "Deny" }] };
  expect(sent(5000, incoming)).toEqual([own]);
  expect(sent(5001, incoming)).toEqual([{ ...own, verdict: "deny" }]);
});

describe("by which interface a flow goes decides whose policies are asked", () => {
  const [second, storage, far, farPod] = ["10.9.0.8", "10.9.0.55", "172.31.1.9", "10.244.1.5"];
  const own = (name: string) => ({ selector: `at == '${name}'`, types: ["Ingress", "Egress"] });
  const snapshot: Partial<ClusterSnapshot> = {
    facts: {
      ...{ ...facts, localAddresses: [second] },
      uplinks: [
        { name: "eth0", ifindex: 2, addresses: [master] },
        { name: "eth1", ifindex: 3, addresses: [second] },
      ],
    },
    nodes: [withAddress("master", master), withAddress("far", far)],
    hostEndpoints: ["eth0", "eth1"].map((name) => hostEndpoint(name, name)).concat(hostEndpoint("any", "*")),
    globalNetworkPolicies: [
      ...["eth0", "eth1", "any"].flatMap((name) => [
        policy(`at-${name}`, own(name)),
        policy(`before-${name}`, { ...own(name), types: ["Ingress"], preDNAT: true, applyOnForward: true }),
      ]),
      // Nothing is asked about packets that come wrapped.
      policy("untracked-any", { ...own("any"), types: ["Ingress"], doNotTrack: true, applyOnForward: true }),
    ],
    ipPools: [
      schemas.ipPools.parse({ metadata: { name: "pods" }, spec: { cidr: "10.244.0.0/16", vxlanMode: "Always" } }),
    ],
    ipamBlocks: [
      ["10.244.0.0/26", "master"],
      ["10.244.1.0/26", "far"],
    ].map(([cidr, node]) =>
      schemas.ipamBlocks.parse({ metadata: { name: `${node}` }, spec: { cidr, node, pool: "pods" } }),
    ),
  };
  const towards: Towards = (address) =>
    address === storage ? { ifindex: 3, name: "eth1" } : { ifindex: 2, name: "eth0" };
  const asked = (from: string, to: string, by: Towards = towards) =>
    explained(snapshot, { from, to, port: 5000 }, by).map(({ by, at }) => `${by} at ${at}`);

  test.each([
    ["the node sends by its primary uplink", master, client, ["at-eth0 at the node"]],
    ["and by another one", second, storage, [`at-eth1 at ${second}, at the uplink eth1`]],
    ["to another node unwrapped", master, far, ["at-eth0 at the node"]],
    ["to a pod there by the tunnel", master, farPod, [`at-any at ${master}, at the tunnel`]],
    [
      "a client comes in by the primary uplink",
      client,
      master,
      ["before-eth0 at the uplink, before translation", "at-eth0 at the node"],
    ],
    [
      "and by another one",
      storage,
      second,
      ["before-eth1 at the uplink eth1, before translation", `at-eth1 at ${second}, at the uplink eth1`],
    ],
    [
      "a pod of another node by the tunnel",
      farPod,
      master,
      ["before-any at the tunnel, before translation", `at-any at ${master}, at the tunnel`],
    ],
  ])("%s", (_, from, to, expected) => {
    expect(asked(from, to)).toEqual(expected);
  });

  test("where the routes are not known, or lead by no uplink, the primary one is taken", () => {
    for (const by of [() => undefined, () => ({ ifindex: 7, name: "docker0" })])
      expect(asked(master, storage, by)).toEqual(["at-eth0 at the node"]);
  });
});

test("rules about the end on the policy's own side are asked of the flow's end", () => {
  const net = (address: string) => ({ nets: [`${address}/32`] });
  const early = { types: ["Ingress"], preDNAT: true, applyOnForward: true };
  const said = (destination: object) =>
    explained(
      {
        hostEndpoints: [hostEndpoint("host", "eth0")],
        globalNetworkPolicies: [policy("early", { ...early, ingress: [{ action: "Deny", destination }] })],
      },
      { from: client, to: master, port: 53 },
    )[0];
  expect(said(net(master))).toMatchObject({ by: "early", verdict: "deny" });
  expect(said({ selector: "at == 'host'" })).toMatchObject({ by: "early", verdict: "deny" });
  expect(said(net("172.31.1.9"))).toMatchObject({ by: "early", verdict: "next" });
});

test("and of the node's address, where it is the node's own", () => {
  const second = "172.31.1.9";
  const said = (to: string) =>
    explained(
      {
        facts: {
          ...facts,
          localAddresses: [second],
          uplinks: [{ name: "eth0", ifindex: 2, addresses: [master, second] }],
        },
        hostEndpoints: [hostEndpoint("host", "eth0")],
        globalNetworkPolicies: [
          policy("own", {
            types: ["Ingress"],
            ingress: [{ action: "Allow", destination: { nets: [`${second}/32`] } }],
          }),
        ],
      },
      { from: client, to, port: 5000 },
    );
  expect(said(second)).toMatchObject([{ by: "own", verdict: "allow" }]);
  expect(said(master)).toMatchObject([{ by: "own", verdict: "deny" }]);
});
