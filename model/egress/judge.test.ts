import { describe, expect, test } from "vitest";
import { parseCidr } from "../address/address.ts";
import { nodeDirectory } from "../node/nodes.ts";
import type { Namespace } from "../objects/core.ts";
import { schemas } from "../objects/schemas.ts";
import { judgeEgress, MOST_GATEWAYS } from "./judge.ts";
import { POOL_EGRESS_ADDRESS } from "./pool-address.ts";

const facts = {
  ...{ nodeName: "one", address: "172.31.1.1", subnets: [], serviceSubnet: "10.96.0.0/12" },
  localAddresses: ["172.31.1.11"],
};
const node = (name: string, address: string, more: { ready?: string; spec?: object } = {}) =>
  schemas.nodes.parse({
    metadata: { name, labels: { egress: "yes", name } },
    spec: more.spec,
    status: {
      addresses: [{ type: "InternalIP", address }],
      conditions: [{ type: "Ready", status: more.ready ?? "True" }],
    },
  });
const pod = (name: string, nodeName: string, ip: string, namespace = "shop") =>
  schemas.pods.parse({
    metadata: { name, namespace, uid: name, labels: { app: name } },
    spec: { nodeName, containers: [] },
    status: { phase: "Running", podIPs: [{ ip }] },
  });
const gateway = (name: string, spec: object = {}) =>
  schemas.egressGateways.parse({
    metadata: { name },
    spec: { namespaceSelector: "kubernetes.io/metadata.name == 'shop'", nodeSelector: "has(egress)", ...spec },
  });
const here = (name: string, address: string) => ({ namespace: "shop", pod: name, uid: name, address });

function judged({
  egressGateways = [gateway("a")],
  nodes = [node("one", "172.31.1.1"), node("two", "172.31.1.2")],
  pods = [pod("web", "one", "10.244.0.2"), pod("db", "two", "10.244.1.2"), pod("db", "two", "10.244.1.3", "other")],
  endpoints = [here("web", "10.244.0.2")],
  egressAddress = undefined as string | undefined,
  namespaces = [] as Namespace[],
} = {}) {
  const object = schemas.ipPools.parse({
    metadata: { name: "pool", ...(egressAddress && { annotations: { [POOL_EGRESS_ADDRESS]: egressAddress } }) },
    spec: { cidr: "10.244.0.0/16" },
  });
  const pools = { accepted: [{ object, cidr: parseCidr("10.244.0.0/16") }], problems: [] };
  const objects = { egressGateways, nodes, pods, namespaces, endpoints };
  const { groups, gateways, problems } = judgeEgress(objects, nodeDirectory(nodes, facts), pools as never);
  return {
    groups: groups.map(({ owner, ways, members }) => [owner, ways.at(-1)?.way, members] as const),
    ...{ ways: groups[0]?.ways, gateways },
    problems: problems.map(({ kind, name, path, message }) => `${kind} ${name} ${path}: ${message}`),
  };
}

describe("EgressGateways", () => {
  test("the gateway is the first ready node by name, for pods of every node; others know their own pods alone", () => {
    expect(judged().groups).toEqual([
      ["EgressGateway a", { how: "here", addresses: {} }, ["10.244.0.2", "10.244.1.2"]],
    ]);
    const elsewhere = judged({ egressGateways: [gateway("a", { nodeSelector: "name == 'two'" })] });
    expect(elsewhere.groups).toEqual([["EgressGateway a", { how: "node", node: "172.31.1.2" }, ["10.244.0.2"]]]);
    expect(elsewhere.gateways).toEqual(["172.31.1.2"]);
  });

  test.each([
    ["is not ready", node("one", "172.31.1.1", { ready: "False" })],
    ["is cordoned", node("one", "172.31.1.1", { spec: { unschedulable: true } })],
    ["is being deleted", node("one", "172.31.1.1", { spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler" }] } })],
  ])("it moves when its node %s", (_, gone) => {
    expect(judged({ nodes: [gone, node("two", "172.31.1.2")] }).groups[0]?.[1]).toEqual({
      how: "node",
      node: "172.31.1.2",
    });
  });

  test("without a ready node nothing leaves, and that is told", () => {
    const { groups, problems } = judged({ nodes: [node("two", "172.31.1.2", { ready: "Unknown" })] });
    expect(groups).toEqual([["EgressGateway a", { how: "none" }, ["10.244.0.2"]]]);
    expect(problems).toEqual([
      expect.stringMatching(/^EgressGateway a spec.nodeSelector: no node .* ready \(two\), so/),
    ]);
    const misspelt = judged({ egressGateways: [gateway("a", { nodeSelector: "has(egres)" })] });
    expect(misspelt.problems).toEqual([expect.stringMatching(/spec.nodeSelector: no node has such labels, so/)]);
    expect(misspelt.groups[0]?.[1]).toEqual({ how: "none" });
  });

  test("its address must be the gateway's own", () => {
    const own = judged({ egressGateways: [gateway("a", { addresses: ["172.31.1.11"] })] });
    expect(own.groups[0]?.[1]).toEqual({ how: "here", addresses: { IPv4: "172.31.1.11" } });
    const other = judged({ egressGateways: [gateway("a", { addresses: ["172.31.1.2"] })] });
    expect(other.groups[0]?.[1]).toEqual({ how: "none" });
    expect(other.problems).toEqual([
      expect.stringContaining("spec.addresses[0]: 172.31.1.2 is no address of node one"),
    ]);
  });

  test("of two that select a pod the first by name counts, and the other one is told", () => {
    const { groups, problems } = judged({
      egressGateways: [gateway("b", { podSelector: "app == 'web'" }), gateway("a")],
    });
    expect(groups.map(([owner]) => owner)).toEqual(["EgressGateway a"]);
    expect(problems).toEqual([
      expect.stringMatching(/^EgressGateway b spec: selects pods that EgressGateway a .*\(shop\/web\)/),
    ]);
  });

  test("many gateways that share many pods are told, without a copy of all names for each pod", () => {
    const one = pod("web", "two", "10.244.0.2");
    const pods = Array.from({ length: 60_000 }, (_, at) => ({
      metadata: { ...one.metadata, name: `web-${10_000 + at}` },
      ...{ spec: one.spec, status: { ...one.status, podIPs: [{ ip: `10.244.${at >> 8}.${at & 255}` }] } },
    }));
    const names = Array.from({ length: 25 }, (_, at) => String(at + 10));
    const { groups, problems } = judged({ egressGateways: names.map((name) => gateway(name)), pods, endpoints: [] });
    expect(groups.map(([owner, , members]) => [owner, members.length])).toEqual([["EgressGateway 10", 60_000]]);
    expect(problems).toHaveLength(24);
    const few = "(shop/web-10000, shop/web-10001, shop/web-10002 and 59997 more)";
    expect(problems[0]).toContain(`EgressGateway 11 spec: selects pods that EgressGateway 10 selects as well ${few}`);
  });

  test("exceptions within destinations, which are everything by default", () => {
    const [all, network] = [["0.0.0.0/0", "::/0"], ["203.0.113.0/24"]];
    const of = (spec: object) =>
      judged({ egressGateways: [gateway("a", spec)] }).ways?.map(({ destination, way }) => [destination, way.how]);
    const own = [["169.254.0.0/16", "plain"]];
    expect(of({ exceptions: network })).toEqual([...own, ...all.map((one) => [one, "here"]), [network[0], "plain"]]);
    expect(of({ destinations: network, exceptions: ["203.0.113.7/32"] })).toEqual([
      ...own,
      ["203.0.113.0/24", "here"],
      ["203.0.113.7/32", "plain"],
    ]);
  });

  test("link-local addresses are those of the pod's own node, unless they are asked for", () => {
    const of = (spec: object) => {
      const { ways = [] } = judged({ egressGateways: [gateway("a", spec)] });
      return Object.fromEntries(ways.map(({ destination, way }) => [destination, way.how]));
    };
    expect(of({})).toMatchObject({ "169.254.0.0/16": "plain" });
    expect(of({ destinations: ["169.254.169.254/32"] })).toMatchObject({ "169.254.169.254/32": "here" });
    expect(of({ destinations: ["169.254.0.0/16"] })).toMatchObject({ "169.254.0.0/16": "here" });
  });

  test("a pod of another node does not stand for one of this node, whatever its status says", () => {
    const egressGateways = [gateway("a", { podSelector: "app == 'db'" })];
    const pods = [pod("web", "one", "10.244.0.2"), pod("db", "two", "10.244.0.2")];
    expect(judged({ egressGateways, pods }).groups).toEqual([]);
  });

  test("a label of a namespace does not stand for its name", () => {
    const egressGateways = [gateway("a", { namespaceSelector: "projectcalico.org/name == 'shop'" })];
    const named = schemas.namespaces.parse({
      metadata: { name: "other", labels: { "projectcalico.org/name": "shop" } },
    });
    const pods = [pod("db", "two", "10.244.1.3", "other")];
    expect(judged({ egressGateways, pods, endpoints: [], namespaces: [named] }).groups).toEqual([]);
  });

  test("a pod whose object is not known yet does not leave the cluster", () => {
    expect(judged({ endpoints: [here("new", "10.244.0.9")], pods: [] }).groups).toEqual([
      ["pods that are not known yet", { how: "none" }, ["10.244.0.9"]],
    ]);
    expect(judged({ endpoints: [here("new", "10.244.0.9")], pods: [], egressGateways: [] }).groups).toEqual([]);
  });

  test("more than the maps have room for are refused", () => {
    const many = Array.from({ length: MOST_GATEWAYS + 1 }, (_, index) =>
      gateway(`g${String(index).padStart(3, "0")}`, {
        podSelector: `app == '${index === MOST_GATEWAYS ? "web" : "x"}'`,
      }),
    );
    const { groups, problems } = judged({ egressGateways: many });
    expect(groups).toEqual([["EgressGateway g100", { how: "none" }, ["10.244.0.2"]]]);
    expect(problems).toEqual([expect.stringContaining("more than 100 EgressGateways")]);
  });
});

describe("egress addresses of pools", () => {
  test("for this node's pods, unless a gateway has them", () => {
    expect(judged({ egressGateways: [], egressAddress: "172.31.1.11" }).groups).toEqual([
      ["IPPool pool", { how: "here", addresses: { IPv4: "172.31.1.11" } }, ["10.244.0.2"]],
    ]);
    expect(judged({ egressAddress: "172.31.1.11" }).groups.map(([owner]) => owner)).toEqual(["EgressGateway a"]);
  });

  test.each([
    ["172.31.1.2", "is no address of node one, which has pods of the pool"],
    ["fd00::1", "is no address of IPv4"],
    ["172.31.1", "is no address of IPv4"],
  ])("%s %s", (egressAddress, fault) => {
    const { groups, problems } = judged({ egressGateways: [], egressAddress });
    expect(groups).toEqual([["IPPool pool", { how: "none" }, ["10.244.0.2"]]]);
    expect(problems).toEqual([
      expect.stringContaining(`metadata.annotations[${POOL_EGRESS_ADDRESS}]: "${egressAddress}" ${fault}, so`),
    ]);
  });

  test("a node without pods of the pool says nothing", () => {
    expect(judged({ egressGateways: [], egressAddress: "172.31.1.2", endpoints: [], pods: [] }).problems).toEqual([]);
  });
});

test.each<[object, string]>([
  [{}, 'podSelector: needs podSelector or namespaceSelector; "all()" means every pod'],
  [{ podSelector: "app = 'x'" }, "podSelector: column 5: expected an operator"],
  [{ podSelector: "all()", nodeSelector: "" }, "nodeSelector: needs the nodes"],
  [{ podSelector: "all()", addresses: ["172.31.1.1", "172.31.1.2"] }, "addresses: allowed is one of each family"],
  [
    { podSelector: "all()", addresses: ["127.0.0.1"] },
    "addresses.0: 127.0.0.1 is no address that other hosts can answer",
  ],
  [{ podSelector: "all()", destinations: ["10.0.0.0"] }, 'destinations.0: "10.0.0.0" is no CIDR'],
  [{ podSelector: "all()", exeptions: [] }, ": Unrecognized key"],
])("%j is refused", (spec, fault) => {
  const { error } = schemas.egressGateways.safeParse({
    metadata: { name: "a" },
    spec: { nodeSelector: "all()", ...spec },
  });
  const [issue] = error?.issues ?? [];
  expect(`${issue?.path.slice(1).join(".")}: ${issue?.message}`).toContain(fault);
});
