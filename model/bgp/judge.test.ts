import { describe, expect, test } from "vitest";
import { hostCidr } from "../address/address.ts";
import type { CompiledService } from "../service/service.ts";
import type { BgpPlan } from "./plan.ts";
import { ADDRESSES, judged, type World } from "./worlds.fixture.ts";

const mesh = { configuration: {} };
const tor = { tor: { peerIP: "192.0.2.254", asNumber: 64500 } };
const reflects = (id: string) => ({ "projectcalico.org/RouteReflectorClusterID": id });
const planOf = (world: World) => judged(world).plan as BgpPlan;
const peersOf = (world: World) => planOf(world).sessions.map(({ peer, peerAs }) => `${peer} AS ${peerAs}`);
const V4 = ["192.0.2.2 AS 64512", "198.51.100.3 AS 64512"];
const V6 = ["2001:db8:1::2 AS 64512", "2001:db8:2::3 AS 64512"];

test("BGP is not spoken where nothing asks for it", () => {
  expect(judged({})).toEqual({ plan: undefined, problems: [] });
});

describe("sessions", () => {
  test.each<[string, World, string[]]>([
    ["the mesh", mesh, [...V4, ...V6]],
    ["a peer beside the mesh", { peers: tor }, [V4[0] as string, "192.0.2.254 AS 64500", V4[1] as string, ...V6]],
    ["a peer alone", { configuration: { nodeToNodeMeshEnabled: false }, peers: tor }, ["192.0.2.254 AS 64500"]],
    [
      "a peer of another node",
      { configuration: { nodeToNodeMeshEnabled: false }, peers: { tor: { ...tor.tor, node: "two" } } },
      [],
    ],
    [
      "a node of another AS",
      { ...mesh, annotations: { two: { "projectcalico.org/ASNumber": "1.0" } } },
      ["192.0.2.2 AS 65536", V4[1] as string, "2001:db8:1::2 AS 65536", V6[1] as string],
    ],
    [
      "no mesh with a route reflector",
      { ...mesh, annotations: { two: reflects("244.0.0.1") } },
      [V4[1] as string, V6[1] as string],
    ],
    ["no mesh of a route reflector", { ...mesh, annotations: { one: reflects("244.0.0.1") } }, []],
    [
      "nodes by a selector",
      {
        configuration: { nodeToNodeMeshEnabled: false },
        peers: { far: { node: "one", peerSelector: "rack == 'far'" } },
      },
      [V4[1] as string, V6[1] as string],
    ],
    [
      "the other end of a selector",
      {
        configuration: { nodeToNodeMeshEnabled: false },
        peers: { one: { node: "far", peerSelector: "rack == 'one'" } },
      },
      [V4[1] as string, V6[1] as string],
    ],
    [
      "the other end, which is to be written",
      {
        configuration: { nodeToNodeMeshEnabled: false },
        peers: { one: { node: "far", peerSelector: "rack == 'one'", reversePeering: "Manual" } },
      },
      [],
    ],
    [
      "the other end of an address",
      {
        configuration: { nodeToNodeMeshEnabled: false },
        peers: { one: { node: "two", peerIP: "192.0.2.1", asNumber: 64512 } },
      },
      [V4[0] as string],
    ],
  ])("%s", (_, world, peers) => {
    expect(peersOf(world)).toEqual(peers);
  });

  test("a node is believed about the blocks that it holds; a router, and a route reflector, about everything", () => {
    const world = { ...mesh, peers: { ...tor, two: { node: "one", peerSelector: "rack == 'two'" } } };
    const believed = (one: World) =>
      planOf(one).sessions.map((session) => [session.peer, session.believed?.map(({ text }) => text)]);
    expect(believed(world)).toEqual([
      ["192.0.2.2", ["10.1.1.0/26"]],
      ["192.0.2.254", undefined],
      ["198.51.100.3", ["10.1.2.0/26"]],
      ["2001:db8:1::2", []],
      ["2001:db8:2::3", ["fd00:1::1:0/122"]],
    ]);
    expect(believed({ ...world, annotations: { two: reflects("244.0.0.1") } })[0]).toEqual(["192.0.2.2", undefined]);
  });

  test("a peer that two objects name is the older one's, and is told to the other", () => {
    const peers = { a: tor.tor, b: { ...tor.tor, asNumber: 64501 }, c: { ...tor.tor, node: "two", asNumber: 1 } };
    const { plan, problems } = judged({ peers });
    expect(plan?.sessions.filter(({ peer }) => peer === "192.0.2.254")).toMatchObject([{ peerAs: 64500 }]);
    expect(problems).toEqual([
      {
        kind: "BGPPeer",
        name: "b",
        path: "spec.asNumber",
        message: expect.stringContaining("as AS 64500 already (BGPPeer a)"),
      },
    ]);
  });

  test("BFD is of peers in a subnet of the node, which ask for it", () => {
    const bfd = { asNumber: 64500, failureDetectionMode: "BFDIfDirectlyConnected" };
    const peers = { near: { peerIP: "192.0.2.254", ...bfd }, distant: { peerIP: "203.0.113.1", ...bfd } };
    const watched = planOf({ configuration: {}, peers }).sessions.filter((session) => session.bfd);
    expect(watched.map(({ peer }) => peer)).toEqual(["192.0.2.254"]);
  });

  test("a filter that does not exist lets nothing pass", () => {
    const { plan, problems } = judged({ peers: { tor: { ...tor.tor, filters: ["safe"] } } });
    expect(plan?.sessions.find(({ peerAs }) => peerAs === 64500)).toMatchObject({
      imports: [{ action: "Reject" }],
      exports: [{ action: "Reject" }],
    });
    expect(problems).toMatchObject([{ name: "tor", path: "spec.filters[0]" }]);
  });

  test("sessions have the passwords of their objects", () => {
    const password = (key: string) => ({ secretKeyRef: { name: "bgp", key } });
    const { plan, problems } = judged({
      configuration: { nodeMeshPassword: password("mesh") },
      peers: { tor: { ...tor.tor, password: password("tor") } },
    });
    expect(problems).toEqual([]);
    expect(plan?.sessions.map(({ peer, password }) => `${peer} ${password?.key}`)).toContain("192.0.2.254 tor");
    expect(plan?.sessions.map(({ password }) => password?.key)).toContain("mesh");
  });

  test("annotations that cannot be read are told", () => {
    const one = { "projectcalico.org/ASNumber": "65536.1", ...reflects("1.2.3.256") };
    expect(judged({ ...mesh, annotations: { one } }).problems).toMatchObject([
      { kind: "Node", name: "one", path: "metadata.annotations[projectcalico.org/ASNumber]" },
      { kind: "Node", name: "one", path: "metadata.annotations[projectcalico.org/RouteReflectorClusterID]" },
    ]);
  });
});

describe("what is learned", () => {
  test.each([
    ["Never", ["10.1.2.0/26", "fd00:1::1:0/122"]],
    ["CrossSubnet", []],
    ["Always", []],
  ])("with vxlanMode %s", (vxlanMode, carried) => {
    expect(planOf({ ...mesh, pool: { vxlanMode } }).carried.map(({ text }) => text)).toEqual(carried);
  });
});

describe("what is announced", () => {
  const blocks = (world: World) => planOf({ ...mesh, ...world }).blocks.map(({ text }) => text);
  const both = ["10.1.0.0/26", "fd00:1::/122"];

  test("blocks, but of pools that are not exported", () => {
    expect(blocks({})).toEqual(both);
    expect(blocks({ pool: { disableBGPExport: true } })).toEqual([]);
  });

  test("a node that is being emptied announces a block as long as it has pods in it", () => {
    expect(blocks({ cordoned: ["one"], pods: ["10.1.0.7"] })).toEqual(["10.1.0.0/26"]);
    expect(blocks({ cordoned: ["one"] })).toEqual([]);
    expect(blocks({ cordoned: ["one", "two", "far"] })).toEqual(both);
    expect(blocks({ cordoned: ["two"] })).toEqual(both);
  });

  const networks = [{ cidr: "203.0.113.0/24" }, { cidr: "198.51.100.7/32" }];
  const configuration = { serviceExternalIPs: networks };
  const services = (world: World) => planOf(world).services.map(({ text }) => text);
  /** @param on the nodes with its endpoints */
  const exposed = (address: string, trafficPolicy: "Cluster" | "Local", on: string[], claim = "external IP") => {
    const backends = on.map((name) => ({
      ...{ address: "10.1.0.7", node: ADDRESSES[name as keyof typeof ADDRESSES][0] },
      ...{ local: name === "one", ready: true, servingTerminating: false },
    }));
    const list = { backends, localCount: backends.filter(({ local }) => local).length };
    const frontend = { key: { address, port: 80, protocol: 6 }, family: "IPv4", claim, trafficPolicy, list };
    return { owner: `Service default/${on}`, frontends: [frontend], backends } as unknown as CompiledService;
  };
  const [here, there, nowhere] = [["one"], ["two"], []];

  test.each<[string, CompiledService[], string[]]>([
    ["a network", [], ["203.0.113.0/24"]],
    ["no address of a Service that every node serves", [exposed("203.0.113.7", "Cluster", here)], ["203.0.113.0/24"]],
    [
      "an address with traffic policy Local, with an endpoint here",
      [exposed("203.0.113.7", "Local", here)],
      ["203.0.113.0/24", "203.0.113.7/32"],
    ],
    ["the same without one", [exposed("203.0.113.7", "Local", nowhere)], ["203.0.113.0/24"]],
    ["the same with one elsewhere", [exposed("203.0.113.7", "Local", there)], ["203.0.113.0/24"]],
    [
      "a single address of a Service",
      [exposed("198.51.100.7", "Cluster", here)],
      ["198.51.100.7/32", "203.0.113.0/24"],
    ],
    ["the same without endpoints", [exposed("198.51.100.7", "Cluster", nowhere)], ["203.0.113.0/24"]],
    ["no address of another kind", [exposed("203.0.113.7", "Local", here, "load balancer")], ["203.0.113.0/24"]],
    ["no address outside", [exposed("203.0.114.7", "Local", here)], ["203.0.113.0/24"]],
  ])("%s", (_, objects, announced) => {
    expect(services({ configuration, services: objects })).toEqual(announced);
    // An address that only this node can serve stays.
    const left = announced.filter((text) => text === "203.0.113.7/32");
    expect(services({ configuration, services: objects, cordoned: ["one"] })).toEqual(left);
  });

  test("no address of another Service, by whom asks for it in vain with endpoints here", () => {
    const [owner, thief] = [exposed("198.51.100.7", "Local", there), exposed("198.51.100.7", "Local", here)];
    const world = { configuration, services: [owner, thief] };
    expect(services(world)).toContain("198.51.100.7/32");
    const rule = thief.frontends[0] as NonNullable<(typeof thief.frontends)[0]>;
    const lost = new Map([[thief, new Map([["198.51.100.7:80/tcp", { rule, reason: "" }]])]]);
    expect(services({ ...world, lost })).toEqual(["203.0.113.0/24"]);
  });

  test.each<[string, Pick<World, "excluded" | "cordoned">, string]>([
    ["another node", { excluded: ["two"] }, "all"],
    ["this node", { excluded: ["one"] }, "nothing"],
    ["every node", { excluded: ["one", "two", "far"] }, "all"],
    ["every node, and this one is cordoned", { excluded: ["one", "two", "far"], cordoned: ["one"] }, "what is here"],
    ["all others, and this one is cordoned", { excluded: ["two", "far"], cordoned: ["one"] }, "all"],
    ["this one, and all others are cordoned", { excluded: ["one"], cordoned: ["two", "far"] }, "nothing"],
    ["another one, and this one is cordoned", { excluded: ["far"], cordoned: ["one"] }, "what is here"],
  ])("where %s is excluded from external load balancers", (_, nodes, announced) => {
    const local = [exposed("203.0.113.7", "Local", here), exposed("203.0.113.8", "Local", [...here, ...there])];
    const all = ["203.0.113.0/24", "203.0.113.7/32", "203.0.113.8/32"];
    const expected = { all, nothing: [], "what is here": ["203.0.113.7/32"] }[announced];
    expect(services({ configuration, services: local, ...nodes })).toEqual(expected);
    // Its pods stay reachable.
    expect(blocks({ excluded: nodes.excluded ?? [] })).toEqual(both);
  });

  test("load balancer addresses one by one", () => {
    const single = { serviceLoadBalancerIPs: networks, serviceLoadBalancerAggregation: "Disabled" };
    const balanced = [
      exposed("203.0.113.7", "Cluster", here, "load balancer"),
      exposed("203.0.113.8", "Cluster", nowhere, "load balancer"),
    ];
    expect(services({ configuration: single, services: balanced })).toEqual([hostCidr("203.0.113.7").text]);
  });
});
