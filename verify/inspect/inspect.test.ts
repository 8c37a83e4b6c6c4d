import type { V1Pod, V1Service } from "@kubernetes/client-node";
import { describe, expect, test } from "vitest";
import { asTable } from "../../agent/observe/inspect/table.ts";
import type { ClusterView } from "../cluster/view.ts";
import { type Inspect, viewsOf } from "./ask-nodes.ts";
import { firstRows, poolsOf, wordsOf } from "./inspect-command.ts";
import { inspection, mergedView } from "./merge.ts";
import { frontendName, named, namesOf } from "./names.ts";

const pod = (name: string, address: string, spec: object = {}, phase = "Running"): V1Pod => ({
  metadata: { namespace: "shop", name },
  spec: { containers: [], ...spec },
  status: { phase, podIPs: [{ ip: address }] },
});
const service = (name: string, clusterIPs: string[], nodePort?: number): V1Service => ({
  metadata: { namespace: "shop", name },
  spec: { clusterIPs, ports: [{ port: 80, ...(nodePort && { nodePort }) }] },
});
const view: ClusterView = {
  agentNamespace: "ebpf-dataplane",
  nodes: [
    { metadata: { name: "worker1" }, status: { addresses: [{ type: "InternalIP", address: "172.31.1.207" }] } },
    { metadata: { name: "master" }, status: { addresses: [{ type: "InternalIP", address: "172.31.1.8" }] } },
  ],
  pods: [
    pod("web-1", "10.244.1.2", { containers: [{ name: "web", ports: [{ containerPort: 80, hostPort: 8099 }] }] }),
    pod("web-2", "fd00:10:244:1::3"),
    pod("finished", "10.244.1.2", {}, "Succeeded"),
    pod("on-host", "172.31.1.8", { hostNetwork: true }),
  ],
  services: [service("web", ["10.96.0.9", "fd00:10:96::9"], 30604)],
  endpointSlices: [],
};
const names = namesOf(view);

describe("names", () => {
  test.each([
    ["10.244.1.2:80", "pod/shop/web-1:80"],
    ["[fd00:10:244:1::3]:80 10.244.1.2:80", "pod/shop/web-2:80 pod/shop/web-1:80"],
    ["172.31.1.55:40001 > 10.96.0.9:80", "172.31.1.55:40001 > service/shop/web:80"],
    ["fd00:10:96::9", "service/shop/web"],
    ["10.244.1.2:80 via node 172.31.1.8", "pod/shop/web-1:80 via node/master"],
    ["10.244.1.2/32, 10.96.0.0/12 and 3 more", "10.244.1.2/32, 10.96.0.0/12 and 3 more"],
    ["10.244.1.20:80", "10.244.1.20:80"],
    ["TCP 80", "TCP 80"],
  ])("in %s", (text, expected) => {
    expect(named(text, names)).toBe(expected);
  });

  test.each([
    ["10.96.0.9:80/TCP", "service/shop/web"],
    ["[fd00:10:96::9]:80/TCP", "service/shop/web"],
    ["any node:30604/TCP", "service/shop/web"],
    ["any node (IPv6):30604/TCP", "service/shop/web"],
    ["any node:30604/UDP", undefined],
    ["loopback:8099/TCP", "pod/shop/web-1"],
    ["10.96.0.9, other ports", "service/shop/web"],
    ["10.96.0.77:80/TCP", undefined],
  ])("of the frontend %s", (frontend, expected) => {
    expect(frontendName(frontend, names)).toBe(expected);
  });
});

const row = (frontend: string, id: number, backends: string, local: number) => ({
  ...{ frontend, id, backends, local, flags: "", clients: "all" },
});
const frontends: Record<string, object[]> = {
  master: [row("10.96.0.9:80/TCP", 3, "10.244.1.2:80", 0), row("any node:30604/TCP", 4, "none: rejected", 0)],
  worker1: [
    row("any node:30604/TCP", 2, "10.244.1.2:80", 1),
    row("10.96.0.9:80/TCP", 1, "10.244.1.2:80(local only)", 1),
  ],
};
const inspect: Inspect = async (node) => {
  if (!frontends[node]) throw new Error("no agent of the dataplane runs there");
  return JSON.stringify(frontends[node]);
};

test("what all nodes have stands there once, what differs by node; a silent node does not hide the others", async () => {
  const views = await viewsOf(["worker1", "worker2", "master"], ["services"], inspect);
  expect(asTable(mergedView("services", views, names))).toBe(
    [
      "NODES    SERVICE   FRONTEND            BACKENDS           FLAGS  CLIENTS",
      "all      shop/web  10.96.0.9:80/TCP    pod/shop/web-1:80         all",
      "master   shop/web  any node:30604/TCP  none: rejected            all",
      "worker1  shop/web  any node:30604/TCP  pod/shop/web-1:80         all",
    ].join("\n"),
  );
  expect(views.map(({ node, problem }) => [node, problem])).toEqual([
    ["master", undefined],
    ["worker1", undefined],
    ["worker2", "no agent of the dataplane runs there"],
  ]);
});

test("JSON has what each node said, unchanged, and the names beside it", async () => {
  const views = await viewsOf(["master"], ["services"], inspect);
  expect(inspection("services", "https://k", views, names)).toEqual({
    cluster: "https://k",
    view: "services",
    nodes: [{ node: "master", rows: frontends.master }],
    names: { "10.96.0.9": "service/shop/web", "10.244.1.2": "pod/shop/web-1" },
  });
});

test("endpoints keep the address beside the pod's name; backends name their node", () => {
  const endpoint = { address: "10.244.1.2", ifindex: 9, policy: 4, isolated: "ingress", mac: "02:00", note: "" };
  expect(asTable(mergedView("endpoints", [{ node: "worker1", rows: [endpoint] }], names))).toBe(
    [
      "NODES    POD         ADDRESS     POLICY  ISOLATED  NOTE",
      "worker1  shop/web-1  10.244.1.2  4       ingress",
    ].join("\n"),
  );
  const backend = (node: string) => ({ id: 5, backend: "10.244.1.2:80/TCP", node, flags: "" });
  const views = [
    { node: "master", rows: [backend("172.31.1.207")] },
    { node: "worker1", rows: [backend("this node")] },
  ];
  expect(mergedView("backends", views, names).rows).toEqual([["all", "pod/shop/web-1:80/TCP", "node/worker1", ""]]);
});

test("announcements name the Service and the node that has its address", () => {
  const announced = { address: "10.96.0.9", ifindex: 2, mac: "02:00:00:00:00:08", note: "" };
  const views = [
    { node: "master", rows: [announced] },
    { node: "worker1", rows: [] },
  ];
  expect(asTable(mergedView("announcements", views, names))).toBe(
    ["NODES   SERVICE   ADDRESS    MAC                NOTE", "master  shop/web  10.96.0.9  02:00:00:00:00:08"].join(
      "\n",
    ),
  );
});

test("rows are in the order of their numbers", () => {
  const rows = ["10.96.0.10:443/TCP", "10.96.0.10:80/TCP", "10.96.0.9:80/TCP"].map((frontend) =>
    row(frontend, 1, "", 0),
  );
  const { rows: sorted } = mergedView("services", [{ node: "a", rows }], namesOf({ ...view, services: [] }));
  expect(sorted.map(([, , frontend]) => frontend)).toEqual([
    "10.96.0.9:80/TCP",
    "10.96.0.10:80/TCP",
    "10.96.0.10:443/TCP",
  ]);
});

test.each([
  ["bgp", [{ node: "a", rows: [] }], "Node a has no BGP sessions."],
  [
    "services",
    [
      { node: "a", rows: [] },
      { node: "b", rows: [] },
    ],
    "No node has services.",
  ],
  [
    "services",
    [
      { node: "a", rows: [] },
      { node: "b", rows: [], problem: "away" },
    ],
    "No node that answered has services.",
  ],
  ["connections", [{ node: "a", rows: [] }], "No connection matches."],
])("without rows of %s it says of whom", (kind, views, empty) => {
  expect(asTable(mergedView(kind, views, names))).toBe(empty);
});

test("a policy names a pod of both families once", () => {
  const row = { policy: "NetworkPolicy shop/web", of: "10.244.1.2 10.244.1.2 fd00:10:244:1::3", verdict: "allow" };
  expect(mergedView("policies", [{ node: "master", rows: [row] }], names).rows).toEqual([
    ["master", "NetworkPolicy shop/web", "pod/shop/web-1 pod/shop/web-2", "allow"],
  ]);
});

test("of a large table the first rows are drawn, and how many more there are", () => {
  const rows = Array.from({ length: 1_003 }, (_, index) => [`${index}`]);
  const lines = firstRows({ columns: ["row"], rows, empty: "" }).split("\n");
  expect(lines).toHaveLength(1_002);
  expect(lines.at(-1)).toMatch(/^… and 3 more rows; fewer with --node/);
});

test("an answer that is none is the node's problem", async () => {
  const [view] = await viewsOf(["a"], ["services"], async () => '{"frontend":1}');
  expect(view).toMatchObject({ node: "a", rows: [], problem: expect.stringContaining("expected array") });
});

test("pools are asked of the first agent that answers", async () => {
  const line = {
    pool: "p",
    cidr: "10.244.0.0/16",
    all: 4,
    claimed: 2,
    used: 1,
    wrapping: "not wrapped",
    nodes: [],
    namespaces: [],
  };
  const asked: Inspect = async (node) => {
    if (node === "a") throw new Error("away");
    return `${JSON.stringify(line)}\n`;
  };
  expect(await poolsOf(["a", "b"], asked)).toEqual([line]);
  await expect(poolsOf(["a"], asked)).rejects.toThrow("node a: away");
});

test("wrong words are refused with what is allowed", () => {
  expect(() => wordsOf("servces", {})).toThrow(
    'there is no view "servces"; did you mean "services"?; allowed: services,',
  );
  expect(() => wordsOf("services", { client: "10.0.0.1" })).toThrow("inspect services has no --client");
  expect(wordsOf("connections", { client: "10.0.0.1" })).toEqual(["connections", "--client", "10.0.0.1"]);
  expect(() => wordsOf("connections", { client: "shop/web" })).toThrow('--client is "shop/web"; allowed: an address');
  const ipv6 = ["connections", "--client", "fd00::1", "--frontend", "[fd00::9]:80"];
  expect(wordsOf("connections", { client: "FD00:0::1", frontend: "[fd00:0:0::9]:80" })).toEqual(ipv6);
});
