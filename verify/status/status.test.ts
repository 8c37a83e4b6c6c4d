import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import type { NodeStatus } from "../../agent/observe/status/node-status.ts";
import type { ClusterView } from "../cluster/view.ts";
import { clusterStatusSchema } from "./cluster-status.ts";
import { nodeProblems } from "./node-problems.ts";
import { nodeReports } from "./node-reports.ts";
import { clusterLines, clusterStatus } from "./status-command.ts";

const good = (node: string): NodeStatus => ({
  ...{ node, kernel: "6.18.5-arch1", startedAt: "2026-11-29T07:00:00.000Z", attach: "tcx" },
  ...{
    serviceHandling: "Ebpf",
    returnMode: "DSR",
    ipam: "Pools" as const,
    notReady: [],
    syncedSecondsAgo: 3.2,
    waitingSeconds: 0,
  },
  ...{
    failingWatches: [],
    endpoints: 4,
    podMtu: 1450,
    encryption: null,
    xdp: null,
    closed: { policies: 0, services: 0 },
  },
  ...{ refused: { drop_policy_ingress: 12 }, countedSince: "2026-11-28T09:30:00.000Z", tables: [] },
  pools: [{ pool: "default-ipv4-ippool", cidr: "10.244.0.0/16", all: 65_536, claimed: 192, used: 9 }],
});

const agent = (node: string, phase = "Running", rest: object = {}): V1Pod => ({
  metadata: { name: `ebpf-dataplane-${node}`, namespace: "ebpf-dataplane", labels: { "k8s-app": "ebpf-dataplane" } },
  spec: { nodeName: node, containers: [{ name: "agent", image: "ebpf-dataplane:0.1.0" }] },
  status: { phase, ...rest },
});
const node = (name: string, ready = "True"): V1Node => ({
  metadata: { name },
  status: { conditions: [{ type: "Ready", status: ready, message: "kubelet stopped posting status" }] },
});
const view = (nodes: V1Node[], pods: V1Pod[], agentNamespace = "ebpf-dataplane"): ClusterView => ({
  ...{ nodes, pods, services: [], endpointSlices: [], agentNamespace },
});
const at = new Date("2026-11-29T07:05:00Z");

test("agents are where the cluster's binding says; a tenant's pod with their label is none", async () => {
  const tenant = {
    metadata: { name: "t", namespace: "shop", labels: { "k8s-app": "ebpf-dataplane" } },
    spec: { nodeName: "a" },
  };
  const [report] = await nodeReports(view([node("a")], [tenant as unknown as V1Pod], "net"), () =>
    Promise.reject(new Error("asked")),
  );
  expect(report?.problems[0]).toContain("no agent is there");
  expect(report?.problems[0]).toContain("kubectl -n net describe daemonset");
});

test("a cluster of which every node is ready", async () => {
  const reports = await nodeReports(
    view([node("worker1"), node("master")], [agent("master"), agent("worker1")]),
    async (name) => good(name),
  );
  const status = clusterStatus("https://172.31.1.8:6443", reports, at);
  expect(status.ready).toBe(true);
  expect(clusterStatusSchema.parse(status)).toEqual(status);
  expect(clusterLines(status)).toEqual([
    "2 of 2 nodes are ready at https://172.31.1.8:6443 (ebpf-dataplane:0.1.0)",
    "",
    "NODE     SYNCED   PODS  SERVICES  REPLIES  MTU   ATTACH  KERNEL",
    "master   3 s ago  4     Ebpf      DSR      1450  tcx     6.18.5",
    "worker1  3 s ago  4     Ebpf      DSR      1450  tcx     6.18.5",
    "",
    "POOL                 ADDRESSES      USED     IN BLOCKS OF NODES",
    "default-ipv4-ippool  10.244.0.0/16  9 (0 %)  192 (0 %)",
    "",
    "Refused since 2026-11-28 09:30 UTC:",
    "REFUSED PACKETS  WHY",
    "24               an ingress policy of the receiving workload does not allow it (drop_policy_ingress)",
  ]);
});

test("nodes of which pods have addresses of their own networks alone are named", async () => {
  const reports = await nodeReports(view([node("a"), node("b")], [agent("a"), agent("b")]), async (name) => ({
    ...good(name),
    ipam: name === "a" ? "HostLocal" : "Pools",
  }));
  const lines = clusterLines(clusterStatus("https://k", reports, at));
  expect(lines).toContain("Pods of a have addresses of its spec.podCIDRs alone (ipam HostLocal).");
});

test("of nodes that encrypt it is said with which nothing was exchanged yet, which never answered, and which have no key", async () => {
  const peers = [
    { node: "b", handshakeSecondsAgo: 7, asked: true },
    { node: "c", handshakeSecondsAgo: null, asked: false },
    { node: "d", handshakeSecondsAgo: null, asked: true },
  ];
  const reports = await nodeReports(view([node("a")], [agent("a")]), async (name) => ({
    ...good(name),
    encryption: { peers, without: ["e"] },
  }));
  const lines = clusterLines(clusterStatus("https://k", reports, at));
  const begin = lines.indexOf("Packets between nodes are encrypted by every node (WireGuard).");
  expect(lines.slice(begin + 1, begin + 4)).toEqual([
    "  a: no handshake yet with c",
    "  a: no answer, ever, from d: does UDP 51820 pass?",
    "  a: sends nothing to e, which has no key",
  ]);
});

test("where XDP is asked for, uplinks that stay at tc are named with the reason, each reason once", async () => {
  const lines = async (...xdp: NodeStatus["xdp"][]) => {
    const names = ["a", "b", "c"];
    const reports = await nodeReports(
      view(
        names.map((name) => node(name)),
        names.map((name) => agent(name)),
      ),
      async (name) => ({
        ...good(name),
        xdp: xdp[names.indexOf(name)] ?? null,
      }),
    );
    const all = clusterLines(clusterStatus("https://k", reports, at));
    const begin = all.findIndex((line) => line.startsWith("XDP"));
    return begin < 0 ? [] : all.slice(begin, all.indexOf("", begin));
  };
  const [runs, stays] = [
    { uplink: "eth0", reason: null },
    { uplink: "eth0", reason: "it is a bond" },
  ];
  expect(await lines(null, null, null)).toEqual([]);
  expect(await lines([runs], null, [runs])).toEqual(["XDP runs in the driver of every uplink."]);
  expect(await lines([runs], [stays], [{ ...stays, uplink: "eth1" }])).toEqual([
    "XDP runs in the drivers of 1 of 3 uplinks; these are handled at tc:",
    "  b eth0, c eth1: it is a bond",
  ]);
  expect(await lines([stays])).toEqual([
    "XDP runs in the driver of no uplink; these are handled at tc:",
    "  a eth0: it is a bond",
  ]);
});

test("a node without an agent, one whose agent crashes, and one that does not answer are named with what to do", async () => {
  const crashing = agent("b", "Running", {
    containerStatuses: [
      {
        name: "agent",
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
      },
    ],
  });
  const pods = [crashing, agent("c"), agent("d")];
  const ask = async (name: string) => {
    if (name !== "d") throw new Error(`node ${name}: No agent answers`);
    return good(name);
  };
  const reports = await nodeReports(view([node("a"), node("b"), node("c", "Unknown"), node("d")], pods), ask);
  const status = clusterStatus("https://k", reports, at);
  expect(status.ready).toBe(false);
  const lines = clusterLines(status).join("\n");
  expect(lines).toContain("1 of 4 nodes are ready");
  expect(lines).toContain("✗ a: no agent is there");
  expect(lines).toContain("✗ b: pod ebpf-dataplane/ebpf-dataplane-b on b: container agent: CrashLoopBackOff: back-off");
  expect(lines).toContain("✗ c: Kubernetes says that the node is not ready: kubelet stopped posting status");
  expect(lines).toContain(
    "✗ c: its agent does not answer: node c: No agent answers. Next: kubectl -n ebpf-dataplane logs",
  );
  expect(lines).toContain("d     3 s ago");
});

test("a pod of an older agent that is ending does not stand for its successor", async () => {
  const old = agent("a");
  const ending = { ...old, metadata: { ...old.metadata, name: "old", deletionTimestamp: at } };
  const asked: string[] = [];
  await nodeReports(view([node("a")], [ending, agent("a")]), async (name, pod) => {
    asked.push(pod.metadata?.name ?? "");
    return good(name);
  });
  expect(asked).toEqual(["ebpf-dataplane-a"]);
});

test.each<[string, Partial<NodeStatus>, string]>([
  ["not ready", { notReady: ["the CNI plugin to be installed"] }, "not ready: the CNI plugin to be installed"],
  ["never synced", { syncedSecondsAgo: null }, "never had the cluster's state"],
  ["behind", { waitingSeconds: 90.4 }, "a change has waited for the kernel for 90 s"],
  ["a watch fails", { failingWatches: ["services"] }, "cannot watch services"],
  ["closed policies", { closed: { policies: 2, services: 0 } }, "2 policies are over a size limit and allow nothing"],
  ["closed services", { closed: { policies: 0, services: 1 } }, "1 Services are over a size limit"],
  ["a full table", { tables: [{ name: "slots", entries: 95, capacity: 100 }] }, 'the table "slots" has 95 of 100'],
])("a problem of a node: %s", (_, what, words) => {
  const problems = nodeProblems({ ...good("a"), ...what }, "pod-a");
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(words);
  expect(problems[0]).toContain("Next: kubectl");
});

test("a node that is well has no problem; neither has one with room left in its tables", () => {
  expect(nodeProblems({ ...good("a"), tables: [{ name: "slots", entries: 89, capacity: 100 }] }, "pod-a")).toEqual([]);
});

test("what a kubelet says of its node is text", async () => {
  const broken = node("a", "False");
  const [condition] = broken.status?.conditions ?? [];
  if (condition) condition.message = "no \u001b[2J";
  const reports = await nodeReports(view([broken], [agent("a")]), async () => good("a"));
  const lines = clusterLines(clusterStatus("https://k", reports, at));
  expect(lines.join("\n")).toContain("no \ufffd[2J");
});
