import type { V1Pod } from "@kubernetes/client-node";
import { beforeEach, expect, test } from "vitest";
import { upgradeSchema } from "../../components/documents/upgrade.ts";
import { FakeCluster } from "../testing/fake-cluster.ts";
import { stateOf } from "./nodes.ts";
import { stepPod } from "./step.ts";
import { upgrade } from "./upgrade.ts";

let time = 0;
let said: string[];
beforeEach(() => {
  said = [];
});
const clock = {
  now: () => time,
  sleep: async (milliseconds: number) => {
    time += milliseconds;
  },
};
const to = (version: string, cluster: FakeCluster) =>
  upgrade(upgradeSchema.parse({ version }), cluster, (line) => said.push(line), clock);

const story = (name: string, ...evictions: string[]) => [
  `components ${name}`,
  `cordon ${name}`,
  ...evictions.map((pod) => `evict ${pod}`),
  `kubelet ${name}`,
  `uncordon ${name}`,
];

test("nodes are upgraded one by one, the control plane first, each without pods", async () => {
  const cluster = new FakeCluster(["node", "v1.35.0"], ["master", "v1.35.0"]);
  cluster.addPod("web-1", "node");
  cluster.addPod("agent-1", "node", "DaemonSet");
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual([...story("master"), ...story("node", "web-1")]);
  expect(cluster.pods.map(({ metadata }) => metadata?.name)).toEqual(["agent-1"]);
  expect(cluster.nodes.map(({ metadata, spec }) => [metadata?.annotations, spec?.unschedulable])).toEqual([
    [{}, null],
    [{}, null],
  ]);
});

test("nothing happens if all nodes have the release", async () => {
  const cluster = new FakeCluster(["master", "v1.35.1+relinked"], ["node", "v1.35.1"]);
  await to("v1.35.1", cluster);
  expect([cluster.done, said]).toEqual([[], []]);
});

test("it waits for a disruption budget and for a restarting API server", async () => {
  const cluster = new FakeCluster(["master", "v1.34.4"], ["node", "v1.34.4"]);
  cluster.addPod("web-1", "node");
  cluster.held = 3;
  cluster.away = 2;
  await to("v1.35.0", cluster);
  expect(cluster.done).toEqual([...story("master"), ...story("node", "web-1")]);
  expect(said.join("\n")).toContain("default/web-1 is blocked by its PodDisruptionBudget");
});

test("it gives up on a budget that never allows an eviction, and reports how to continue", async () => {
  const cluster = new FakeCluster(["master", "v1.35.0"], ["node", "v1.35.0"]);
  cluster.addPod("web-1", "node");
  cluster.held = Number.POSITIVE_INFINITY;
  await expect(to("v1.35.1", cluster)).rejects.toThrow(
    "node node is not empty after 20 min: node: default/web-1 is blocked by its PodDisruptionBudget",
  );
  // The next run continues there, and removes its own cordon.
  cluster.done.length = 0;
  cluster.held = 0;
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual(["components node", "evict web-1", "kubelet node", "uncordon node"]);
});

test("an upgraded node that is still cordoned by us is uncordoned", async () => {
  const cluster = new FakeCluster(["master", "v1.35.1"], ["node", "v1.35.1"]);
  cluster.node("node").spec = { unschedulable: true };
  cluster.node("node").metadata = {
    name: "node",
    annotations: { "ebpf-dataplane.io/cordoned-for-upgrade": "v1.35.1" },
  };
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual(["uncordon node"]);
});

test("a node cordoned by the administrator stays cordoned", async () => {
  const cluster = new FakeCluster(["master", "v1.35.1"], ["node", "v1.35.0"]);
  cluster.node("node").spec = { unschedulable: true };
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual(["components node", "kubelet node"]);
  expect(cluster.node("node").spec?.unschedulable).toBe(true);
});

test("a failed step reports the node's log, and the next run repeats it", async () => {
  const cluster = new FakeCluster(["master", "v1.35.0"], ["node", "v1.35.0"]);
  cluster.failing = "master components";
  await expect(to("v1.35.1", cluster)).rejects.toThrow(
    "node master cannot be upgraded to Kubernetes v1.35.1 (components):\n[ERROR CreateJob]: it did not complete",
  );
  cluster.failing = "";
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual(["components master failed", ...story("master"), ...story("node")]);
});

test("it waits for a pod left by a killed upgrade", async () => {
  const cluster = new FakeCluster(["master", "v1.35.0"], ["node", "v1.35.0"]);
  cluster.pods.push(stepPod("kubernetes-upgrade-master", stateOf(cluster.node("master")), "components", "v1.35.1"));
  (cluster.pods[0] as V1Pod).status = { phase: "Running" };
  await to("v1.35.1", cluster);
  expect(cluster.done).toEqual([...story("master"), ...story("node")]);
});

test.each<[string, (cluster: FakeCluster) => void, string]>([
  ["v1.34.9", () => {}, "master runs Kubernetes v1.35.0 already, and there is no way back"],
  ["v1.37.0", () => {}, "leaves out minor versions"],
  ["v1.35.1", (cluster) => cluster.addPod("alone", "node", ""), "pods that no controller re-creates: default/alone"],
  [
    "v1.35.1",
    (cluster) => {
      cluster.node("node").status = { ...cluster.node("node").status, conditions: [] };
    },
    "the upgrade cannot begin: node to be Ready",
  ],
])("to %s: an upgrade that could not finish is not started", async (version, change, why) => {
  const cluster = new FakeCluster(["master", "v1.35.0"], ["node", "v1.35.0"]);
  change(cluster);
  await expect(to(version, cluster)).rejects.toThrow(why);
  expect(cluster.done).toEqual([]);
});
