// Host policies that try to lock out whoever operates the nodes: connections to SSH go on, new ones open, a node reaches its own pods, whatever is denied, in
// whatever order tiers, policies, host endpoints and nodes come and go, and while agents start again.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { type KubernetesObject, type NodeName, node, nodes } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { type Held, hold } from "./traffic/holding.ts";
import { serve } from "./traffic/serving.ts";

const [SSH, OTHER] = [22, 8080];
const servers = `for (const port of [${SSH}, ${OTHER}]) require("node:net").createServer((socket) => {
  socket.on("error", () => {}); socket.pipe(socket); }).listen(port);`;

const calico = (kind: string, name: string, spec: object, labels?: object): KubernetesObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...(labels && { labels }) }, spec },
});
const endpoint = (name: string, on: string, more: object = { interfaceName: "*" }) =>
  calico("HostEndpoint", name, { node: on, ...more }, { role: "locked" });
const everywhere = [endpoint("all-master", "master"), endpoint("all-node", "node")];
const DENY = [{ action: "Deny" }];
const policy = (name: string, spec: object = {}) =>
  calico("GlobalNetworkPolicy", name, { selector: "role == 'locked'", types: ["Ingress", "Egress"], ...spec });
const denying = policy("deny", { order: -1_000_000, applyOnForward: true, ingress: DENY, egress: DENY });
const automatic = calico("KubeControllersConfiguration", "default", {
  controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
});
const labelled = (name: NodeName, labels: Record<string, string>): KubernetesObject => {
  const plain = node(name);
  return { ...plain, metadata: { ...plain.metadata, labels: { ...(plain.metadata.labels as object), ...labels } } };
};

let cluster: BareCluster;
let here: Placed;
const held: Held[] = [];
const applied = new Map<string, KubernetesObject>();

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  here = await cluster.addPod("here", "master", { app: "here" });
  for (const where of ["master", "node"] as const)
    await serve(cluster, where, [process.execPath, "-e", servers], `tcp:${SSH}`, `tcp:${OTHER}`);
  held.push(hold(cluster, `${nodes.master}:${SSH}`, 41_022), hold(cluster, `${nodes.node}:${SSH}`, 41_023));
  await until("the connections", async () => held.every(({ echoed }) => echoed > 0));
});
afterEach(async () => {
  // Host endpoints last: policies that go first must not leave a node closed for ever either.
  const all = [...applied.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
  cluster.remove(...all);
  applied.clear();
  cluster.apply(node("master"), node("node"));
  await cluster.carriedOut();
  for (const at of Object.values(nodes)) expect(await reaches(at, OTHER)).toBe("allowed");
});
afterAll(() => cluster?.close());

const keyOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name}`;

async function apply(...objects: KubernetesObject[]): Promise<void> {
  for (const object of objects) applied.set(keyOf(object), object);
  cluster.apply(...objects);
  await cluster.carriedOut();
}

async function remove(...objects: KubernetesObject[]): Promise<void> {
  for (const object of objects) applied.delete(keyOf(object));
  cluster.remove(...objects);
  await cluster.carriedOut();
}

async function reaches(at: string, port: number, timeoutMs = 30_000): Promise<string | undefined> {
  const [result] = await cluster.probe("client1", { to: `${at}:${port}`, timeoutMs });
  return result?.verdict;
}

/** Nobody is locked out; `closed`: of what may be closed nothing is open. */
async function isSafe(closed: readonly NodeName[] = ["master", "node"]): Promise<void> {
  const before = held.map(({ echoed }) => echoed);
  for (const name of Object.keys(nodes) as NodeName[]) {
    const [ssh, other] = await Promise.all([
      reaches(nodes[name], SSH),
      reaches(nodes[name], OTHER, closed.includes(name) ? 300 : 30_000),
    ]);
    expect({ name, ssh, other }).toEqual({
      name,
      ssh: "allowed",
      other: closed.includes(name) ? "dropped" : "allowed",
    });
  }
  const [probe] = await cluster.probe("master", { to: `${here.address}:80`, timeoutMs: 30_000 });
  expect(probe?.verdict).toBe("allowed");
  await until("more echoes", async () => held.every(({ echoed }, index) => echoed > (before[index] ?? 0)));
}

const eth0 = ["master", "node"].map((name) => endpoint(`eth0-${name}`, name, { interfaceName: "eth0" }));
const both = { applyOnForward: true, ingress: DENY };

test.each<[string, KubernetesObject[]]>([
  ["all interfaces, without a policy", everywhere],
  ["all interfaces, everything denied", [denying, ...everywhere]],
  ["one interface, everything denied", [denying, ...eth0]],
  ["... before translation", [policy("early", { ...both, types: ["Ingress"], preDNAT: true }), denying, ...eth0]],
  [
    "... without connections, in both directions",
    [policy("raw", { ...both, egress: DENY, doNotTrack: true }), denying, ...eth0],
  ],
  [
    "... by all of them, on two endpoints of one interface and one of all",
    [
      policy("raw", { ...both, egress: DENY, doNotTrack: true }),
      policy("early", { ...both, types: ["Ingress"], preDNAT: true }),
      ...[denying, ...everywhere, ...eth0, endpoint("eth0-again", "master", { interfaceName: "eth0" })],
    ],
  ],
  [
    "a first tier that ends in Deny",
    [
      calico("Tier", "first", { order: -1_000_000 }),
      ...[policy("none", { tier: "first", applyOnForward: true }), ...everywhere],
    ],
  ],
  ["a policy of a tier that does not exist", [policy("lost", { tier: "gone", applyOnForward: true }), ...everywhere]],
  [
    "everybody, by an empty selector",
    [policy("all", { selector: "", applyOnForward: true, types: ["Ingress"] }), ...everywhere],
  ],
  [
    "only whom no node is, by expectedIPs",
    [
      calico(
        "HostEndpoint",
        "nobody",
        { node: "master", interfaceName: "eth9", expectedIPs: ["192.0.2.9"] },
        { role: "admin" },
      ),
      ...[policy("admins", { ingress: [{ action: "Allow", source: { selector: "role == 'admin'" } }] }), ...everywhere],
    ],
  ],
  [
    "automatic endpoints",
    [automatic, policy("nodes", { selector: "has(kubernetes.io/hostname)", ingress: DENY, egress: DENY })],
  ],
])("%s", async (_, objects) => {
  await apply(...objects);
  await isSafe();
});

test("what is removed in any order leaves nobody out, and what is left holds", async () => {
  const tier = calico("Tier", "first", { order: -1 });
  const inTier = policy("in-tier", { tier: "first", ingress: DENY, egress: DENY });
  await apply(tier, inTier, ...everywhere);
  await isSafe();
  await remove(tier);
  await isSafe();
  await apply(denying, tier);
  await remove(inTier, tier);
  await isSafe();
  await remove(...everywhere);
  await isSafe([]);
  await apply(...everywhere);
  await isSafe();
  await remove(denying);
  await isSafe();
});

test("labels of nodes that begin and end to be meant, and a node that is deleted", async () => {
  await apply(automatic, policy("marked", { selector: "has(locked)", ingress: DENY, egress: DENY }));
  await isSafe([]);
  await apply(labelled("master", { locked: "yes" }));
  await isSafe(["master"]);
  await apply(labelled("master", {}), labelled("node", { locked: "yes" }));
  await isSafe(["node"]);
  applied.delete("Node node");
  await remove(labelled("node", { locked: "yes" }));
  await isSafe([]);
  applied.delete("Node master");
});

test("agents that start again, over policies that can and cannot be read", async () => {
  await apply(denying, ...everywhere);
  await cluster.killAgent("master");
  await isSafe();
  await cluster.startAgent("master");
  await isSafe();
  await apply({ ...denying, spec: { ...(denying.spec as object), ingress: [{ action: "Allow" }], sauce: true } });
  await isSafe();
  await cluster.killAgent("master");
  await cluster.startAgent("master");
  await isSafe();
});
