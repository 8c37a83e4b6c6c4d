// Calico's policies in tiers, with real packets, and what `inspect explain` says of them.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NodeAnswer } from "../../agent/observe/explain/answers.ts";
import { flowLogLine } from "../../model/flow/record.ts";
import { BareCluster, type From, program, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, felix, type KubernetesObject, type NodeName, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { FLAPPING, flapUnderLoad } from "./flaps.ts";
import { differencesOfWorlds } from "./random-policies.ts";
import { expectToEnd, hold } from "./traffic/holding.ts";
import { serveEchoes } from "./traffic/serving.ts";

const seed = Number(process.env.SEED || 20_261_128);

const calico = (kind: string, name: string, spec: object, metadata: object = {}): KubernetesObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name, ...metadata }, spec },
});

const tier = calico("Tier", "security", { order: 100 });
const denyFar = calico("GlobalNetworkPolicy", "security.deny-far", {
  ...{ tier: "security", order: 10, selector: "app == 'web'", types: ["Ingress"] },
  ingress: [{ action: "Deny", source: { selector: "app == 'far'" } }, { action: "Pass" }],
});
// A selector of a policy with a namespace means sets of that namespace, unless it asks for global() ones.
const trusted = calico(
  "NetworkSet",
  "trusted",
  { nets: ["172.31.1.55/32"] },
  { namespace: "default", labels: { role: "trusted" } },
);
const allowTrusted = calico(
  "NetworkPolicy",
  "allow-trusted",
  {
    ...{ order: 20, selector: "app == 'web'", types: ["Ingress"] },
    ingress: [
      { action: "Allow", protocol: "TCP", source: { selector: "role == 'trusted'" }, destination: { ports: [80] } },
      { action: "Allow", protocol: "TCP", source: { selector: "app in {'near', 'far'}", ports: ["40000:40999"] } },
    ],
  },
  { namespace: "default" },
);

let cluster: BareCluster;
let web: Placed;
let near: Placed;
let far: Placed;
const entry = `${nodes.master}:30604`;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "CrossSubnet" });
  [web, near, far] = await Promise.all([
    cluster.addPod("web", "node", { app: "web" }),
    cluster.addPod("near", "node", { app: "near" }),
    cluster.addPod("far", "master", { app: "far" }),
  ]);
  cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
  await until("the service", async () => (await cluster.see("client2", entry)).startsWith("allowed"));
  cluster.apply(tier, trusted, denyFar, allowTrusted);
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

/** The flows of a node's log. */
async function recorded(...filter: string[]) {
  const words = ["inspect", "flow-log", "--json", ...filter];
  const lines = (await cluster.run("node", [process.execPath, program, ...words])).split("\n").filter(Boolean);
  return lines.map((line) => flowLogLine.parse(JSON.parse(line))).filter((line) => line.type === "flow");
}

const see = (from: From, to: string, sourcePort?: number) =>
  cluster.see(from, to, sourcePort === undefined ? {} : { sourcePort });

test("members of a network set are let in by a node port, with their own address; others are not", async () => {
  expect(await see("client1", entry)).toBe(`allowed default/web saw ${clients.client1}`);
  expect(await see("client2", entry)).toBe("dropped");
});

test("a source port decides, and an earlier tier's denial ends it whatever later tiers allow", async () => {
  const to = `${web.address}:80`;
  expect(await see("default/near", to, 40_500)).toBe(`allowed default/web saw ${near.address}`);
  expect(await see("default/near", to, 41_500)).toBe("dropped");
  expect(await see("default/far", to, 40_501)).toBe("dropped");
});

async function explain(node: NodeName, from: string, to: string, ...options: string[]): Promise<NodeAnswer> {
  const words = ["inspect", "explain", from, to, "--json", ...options];
  return JSON.parse(await cluster.run(node, [process.execPath, program, ...words])) as NodeAnswer;
}

test("an explanation lists the tiers that were asked and the rule that decided, as the kernel's maps have it", async () => {
  const ends = async (from: string, ...options: string[]) => {
    const { service, ways } = await explain("node", from, "10.96.0.10:80", ...options);
    expect(service).toBe("default/web:web");
    return ways[0]?.ends ?? [];
  };
  const refused = [
    {
      ...{ direction: "ingress", end: "pod default/web", verdict: "deny" },
      tiers: [{ tier: "security", verdict: "deny", reason: expect.stringContaining("security.deny-far") }],
      peer: expect.arrayContaining([expect.stringContaining("far")]),
    },
  ];
  const passed = { tier: "security", verdict: "pass", reason: expect.stringContaining("ingress rule 2") };
  const bySet = { tier: "default", verdict: "allow", reason: expect.stringContaining("allow-trusted") };
  const answers = {
    far: await ends(far.address),
    client1: await ends(clients.client1),
    near: await ends(near.address, "--source-port", "41500"),
    again: await ends(near.address, "--source-port", "40500"),
  };
  expect(answers.far).toMatchObject(refused);
  expect(answers.client1).toMatchObject([{ verdict: "allow", tiers: [passed, bySet] }]);
  expect(answers.near).toMatchObject([
    { direction: "egress", end: "pod default/near", verdict: "allow", reason: "no policy applies" },
    { direction: "ingress", verdict: "deny", tiers: [passed, { tier: "default", verdict: "deny" }] },
  ]);
  expect(answers.again[1]).toMatchObject({ verdict: "allow" });
  for (const end of Object.values(answers).flat()) expect(end.differs, JSON.stringify(end)).toBeUndefined();
});

test("the agent's log names the rule that logged, and an explanation what staged policies would decide", async () => {
  const audit = calico("GlobalNetworkPolicy", "security.audit", {
    ...{ tier: "security", order: 5, selector: "app == 'web'", types: ["Ingress"], ingress: [{ action: "Log" }] },
  });
  const staged = calico("StagedGlobalNetworkPolicy", "security.next", {
    ...{ tier: "security", order: 1, selector: "app == 'web'", types: ["Ingress"], ingress: [{ action: "Deny" }] },
  });
  cluster.apply(audit, staged);
  await until("the Log rule", async () => {
    await see("client1", entry);
    return cluster
      .log("node")
      .includes("(logged by tier security, GlobalNetworkPolicy security.audit, ingress rule 1)");
  });
  const { ways } = await explain("node", clients.client1, "10.96.0.10:80");
  expect(ways).toMatchObject([{ ends: [{ verdict: "allow" }], staged: { verdict: "denied", differs: true } }]);
  expect(ways[0]?.staged?.reason).toContain("security.next");
  cluster.remove(audit, staged);
  await cluster.carriedOut();
});

test("a staged policy about a host endpoint is judged on the flow log, where no other policy is about the node", async () => {
  const automatic = calico("KubeControllersConfiguration", "default", {
    controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
  });
  const staged = calico("StagedGlobalNetworkPolicy", "hosts", {
    selector: "has(projectcalico.org/created-by)",
    ...{ types: ["Ingress"], ingress: [{ action: "Allow", protocol: "TCP", destination: { ports: [80] } }] },
  });
  const logging = felix({}, { flowLogsFileEnabled: true, flowLogsFlushInterval: "1h" });
  cluster.apply(logging, automatic, staged);
  const judged = async () =>
    (await recorded("--staged", "--port", "5432")).map(({ from, to, verdict, staged }) => [
      ...[from.kind, to.kind],
      ...[verdict, staged?.verdict],
    ]);
  await until("what it would refuse", async () => {
    await cluster.see("client1", `${nodes.node}:5432`, { timeoutMs: 300 });
    return (await judged()).length > 0;
  });
  expect(await judged()).toEqual([["network", "node", "allowed", "denied"]]);
  const { ways } = await explain("node", clients.client1, `${nodes.node}:5432`);
  expect(ways).toMatchObject([{ staged: { verdict: "denied", reason: expect.stringContaining("hosts") } }]);
  cluster.remove(logging, automatic, staged);
  await cluster.carriedOut();
});

test("a refusal by a host endpoint names tier, policy and rule, also where it depends on the own side or is of what it forwards", async () => {
  const host = calico(
    "HostEndpoint",
    "node-eth0",
    { node: "node", interfaceName: "eth0" },
    { labels: { role: "edge" } },
  );
  const rule = (port: number, destination: object = {}) => ({
    ...{ action: "Deny", protocol: "TCP", source: { nets: ["172.31.1.55/32"] } },
    destination: { ports: [port], ...destination },
  });
  const edge = calico("GlobalNetworkPolicy", "edge", {
    ...{ selector: "role == 'edge'", applyOnForward: true, types: ["Ingress"] },
    ingress: [rule(5433), rule(5434, { nets: [`${nodes.node}/32`] }), rule(80), { action: "Allow" }],
  });
  const logging = felix({}, { flowLogsFileEnabled: true, flowLogsFlushInterval: "1h" });
  cluster.apply(logging, host, edge);
  await cluster.carriedOut();
  const refused = async (port: number, number: number, backendPort = port) => {
    const said = `tier default, GlobalNetworkPolicy edge, ingress rule ${number}`;
    await until(`rule ${number} in the flow log`, async () => {
      await cluster.see("client1", `${nodes.node}:${port}`, { timeoutMs: 300 });
      return (await recorded("--verdict", "denied", "--port", `${backendPort}`)).some(({ policy }) => policy === said);
    });
    await until(`its metric`, async () => (await cluster.metrics("node")).includes(`policy="${said}"`));
  };
  await refused(5433, 1);
  await refused(5434, 2);
  await refused(30604, 3, 80);
  cluster.remove(logging, host, edge);
  await cluster.carriedOut();
});

test("each node explains its own ends, and what no policy judges is said", async () => {
  expect(await explain("master", clients.client1, `${web.address}:80`)).toMatchObject({ ways: [{ ends: [] }] });
  expect(await explain("node", nodes.node, `${web.address}:80`)).toMatchObject({
    ways: [{ ends: [{ verdict: "allow", reason: "a pod and its own node always reach each other" }] }],
  });
  await expect(explain("node", "nobody", `${web.address}:80`)).rejects.toThrow('"nobody" is no address');
});

test("the node where a flow begins or enters says to which node its packets go, and how replies return", async () => {
  const route = async (node: NodeName, from: string, to: string) => (await explain(node, from, to)).ways[0]?.route;
  const to = `${web.address}:80`;
  expect(await route("master", far.address, to)).toBe("to node node, not wrapped");
  expect(await route("node", far.address, to)).toBeUndefined();
  expect(await route("node", near.address, to)).toBe("stays on this node, to the pod's interface");
  expect(await route("master", clients.client1, entry)).toBe(
    "to node node, wrapped in VXLAN; replies return through this node (return mode tunnel)",
  );
});

test("a changed rule holds for the next connection, and its return too", async () => {
  const without = { ...allowTrusted, spec: { ...(allowTrusted.spec as object), ingress: [] } };
  expect(await see("default/near", `${web.address}:80`, 40_600)).toMatch(/^allowed/);
  cluster.apply(without);
  await cluster.carriedOut();
  expect(await see("default/near", `${web.address}:80`, 40_601)).toBe("dropped");
  cluster.apply(allowTrusted);
  await cluster.carriedOut();
  expect(await see("default/near", `${web.address}:80`, 40_602)).toMatch(/^allowed/);
});

describe("an established connection that is no longer allowed ends within a second", () => {
  const to = () => `${web.address}:82`;
  let port = 45_900;
  beforeAll(async () => {
    await serveEchoes(cluster, web);
    cluster.remove(allowTrusted, denyFar);
  });
  const isDropped = async () => (await see("default/near", `${web.address}:80`)) === "dropped";
  const isOpen = async () => (await see("default/near", `${web.address}:80`)).startsWith("allowed");

  test.each<[string, KubernetesObject]>([
    [
      "by a policy of an early tier",
      calico("GlobalNetworkPolicy", "security.late", {
        ...{ tier: "security", order: 5, selector: "app == 'web'", types: ["Ingress"] },
        ingress: [{ action: "Deny", protocol: "TCP", source: { selector: "app == 'near'" } }, { action: "Pass" }],
      }),
    ],
    [
      "by the default action of a tier, at its sender",
      calico("GlobalNetworkPolicy", "security.late", {
        ...{ tier: "security", order: 5, selector: "app == 'near'", types: ["Egress"] },
        egress: [{ action: "Pass", destination: { nets: ["10.0.0.0/32"] } }],
      }),
    ],
    [
      "by a ClusterNetworkPolicy",
      {
        ...{
          apiVersion: "policy.networking.k8s.io/v1alpha2",
          kind: "ClusterNetworkPolicy",
          metadata: { name: "late" },
        },
        spec: {
          ...{ tier: "Admin", priority: 10, subject: { namespaces: {} } },
          ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
        },
      },
    ],
  ])("%s", async (_, late) => {
    await until("near to be open", isOpen);
    await expectToEnd(hold(cluster, to(), port++, near), () => cluster.apply(late), isDropped);
    cluster.remove(late);
  });
});

let calm: Placed;
let quiet: Placed;
beforeAll(async () => {
  [calm, quiet] = await Promise.all([
    cluster.addPod("calm", "master", { app: "calm" }),
    cluster.addPod("quiet", "node", { app: "quiet" }),
  ]);
  await serveEchoes(cluster, quiet);
});

test("while policies change, old or new rules hold: nobody gets in who may not, and nobody else loses anything", async () => {
  await flapUnderLoad(cluster, { web, near, far, calm, quiet }, 60);
});

test(`policies by chance mean what the independent evaluator says (SEED=${seed})`, async () => {
  cluster.remove(tier, trusted, ...FLAPPING);
  const { packets, refused, wrong } = await differencesOfWorlds(cluster, { web, near, far }, { worlds: 5, seed });
  console.log(`${packets} packets, ${refused} refused`);
  expect(wrong).toEqual([]);
  expect(Math.min(refused, packets - refused)).toBeGreaterThan(10);
});
