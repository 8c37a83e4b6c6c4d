// What changed host policies would cut of a real flow log, as a preview says it, is what they cut of real packets; and so says the preview's table of
// who reaches whom, before anything runs.
import { afterAll, beforeAll, expect, test } from "vitest";
import { HostJudges } from "../../model/flow/host-judges.ts";
import { endText, flowLogLine, targetText } from "../../model/flow/record.ts";
import { type SeenFlow, type SeenFlows, seenFlows } from "../../model/flow/seen.ts";
import { schemas } from "../../model/objects/schemas.ts";
import { castOf } from "../../preview/reach/cast.ts";
import { reachTable } from "../../preview/reach/table.ts";
import { BareCluster, type From, program, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, felix, type KubernetesObject, nodes, service } from "./cluster/objects.ts";
import { serveProbes } from "./traffic/serving.ts";

const calico = (kind: string, name: string, spec: object): KubernetesObject => ({
  ...{ apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec },
});
const automatic = calico("KubeControllersConfiguration", "default", {
  controllers: { node: { hostEndpoint: { autoCreate: "Enabled" } } },
});
const logging = felix({}, { flowLogsFileEnabled: true, flowLogsFlushInterval: "1h" });
const policy = (spec: object) =>
  calico("GlobalNetworkPolicy", "changed", { selector: "has(projectcalico.org/created-by)", ...spec });
const web = service("web", { clusterIP: "10.96.0.10", nodePort: 30604 });
const deny = (port: number) => ({ action: "Deny", protocol: "TCP", destination: { ports: [port] } });
const REST = { action: "Allow" };

let cluster: BareCluster;
let seen: SeenFlows;

/** What is asked, and the flow that the log has of it. */
const ASKED = {
  "a client asks a node": ["client1", () => `${nodes.node}:5432`, "172.31.1.55 → node node:5432"],
  "a client uses a Service at its backend's node": [
    "client1",
    () => `${nodes.node}:30604`,
    "172.31.1.55 → default/web:80",
  ],
  "a client uses a Service at another node": ["client1", () => `${nodes.master}:30604`, "172.31.1.55 → default/web:80"],
  "a node asks a host": ["node", () => `${clients.client1}:8080`, "node node → 172.31.1.55:8080"],
  "a pod asks a host": ["default/near", () => `${clients.client1}:8080`, "default/near → 172.31.1.55:8080"],
  "a pod asks another node": ["default/near", () => `${nodes.master}:5432`, "default/near → node master:5432"],
} as const satisfies Record<string, readonly [From, () => string, string]>;
type Asked = keyof typeof ASKED;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  const [backend] = await Promise.all([
    cluster.addPod("web", "node", { app: "web" }),
    cluster.addPod("near", "node", { app: "near" }),
    serveProbes(cluster, "node", "machine/node", "tcp:5432"),
    serveProbes(cluster, "master", "machine/master", "tcp:5432"),
    serveProbes(cluster, "client1", "machine/client1", "tcp:8080"),
  ]);
  await cluster.run("client1", ["ip", "route", "replace", "10.244.1.0/26", "via", nodes.node]);
  // With a policy about them, nodes' own connections are in the log, too.
  cluster.apply(
    web,
    endpoints("web", [backend]),
    automatic,
    logging,
    policy({ types: ["Ingress", "Egress"], ingress: [REST], egress: [REST] }),
  );
  await cluster.carriedOut();
  const wanted = new Set<string>(Object.values(ASKED).map(([, , flow]) => flow));
  await until("the flows in the log", async () => {
    await Promise.all(Object.values(ASKED).map(([from, to]) => cluster.see(from, to())));
    seen = seenFlows((await Promise.all([logOf("master"), logOf("node")])).flat());
    // Nodes say in the log what they are, each when it has a flow.
    return seen.hosts.size === 2 && [...wanted].every((flow) => found(flow));
  });
});
afterAll(() => cluster?.close());

async function logOf(node: "master" | "node") {
  const words = ["inspect", "flow-log", "--json"];
  const lines = (await cluster.run(node, [process.execPath, program, ...words])).split("\n").filter(Boolean);
  return lines.map((line) => flowLogLine.parse(JSON.parse(line)));
}

const found = (text: string): SeenFlow | undefined =>
  seen.flows.find((flow) => `${endText(flow.from)} → ${targetText(flow)}` === text);

/** By the log alone. */
function judged(changed: KubernetesObject): Record<Asked, string> {
  const policies = { networkPolicies: [], globalNetworkPolicies: [schemas.globalNetworkPolicies.parse(changed)] };
  const by = { policies, pools: seen.pools, nodes: new Map(), namespaces: new Map() };
  const kubeControllersConfigurations = [schemas.kubeControllersConfigurations.parse(automatic)];
  const inputs = { kubeControllersConfigurations, wraps: "always", services: [schemas.services.parse(web)] } as const;
  const judge = new HostJudges(by, inputs, seen);
  const all = Object.entries(ASKED).map(([name, [, , text]]) => {
    const flow = found(text);
    return [name, flow ? judge.judge(flow).verdict : "not in the log"];
  });
  return Object.fromEntries(all) as Record<Asked, string>;
}

/** Of what is asked, the rows of the table. */
const ROWS: Partial<Record<Asked, string>> = {
  "a client asks a node": "client1 > pods host-node:5432",
  "a client uses a Service at its backend's node": "client1 > web:80",
  "a client uses a Service at another node": "client1 > web:80",
  "a pod asks another node": "near > pods host-master:5432",
};

/** By the declared objects alone. */
function tabled(changed: KubernetesObject): Partial<Record<Asked, string>> {
  const pod = (name: string, nodeName: string, more: object): KubernetesObject => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name, labels: { app: name } } },
    spec: { nodeName, containers: [{ ports: [{ containerPort: 5432 }] }], ...more },
  });
  const hosts = (["node", "master"] as const).map((name) => pod(`host-${name}`, name, { hostNetwork: true }));
  const selecting = { ...web, spec: { ...(web.spec as object), selector: { app: "web" } } };
  const objects = [selecting, automatic, changed, pod("web", "node", {}), pod("near", "node", {}), ...hosts];
  const named = (machines: Record<string, string>) =>
    Object.entries(machines).map(([name, address]) => ({ name, address }));
  const cast = castOf({
    ...{ objects, clients: named(clients), nodes: named(nodes), pools: ["10.244.0.0/16"] },
    ...{ keepsSource: true, nameService: false, wraps: "always" },
  });
  const rows = new Map(reachTable(cast).map(({ from, to, verdict }) => [`${from} > ${to}`, verdict]));
  const all = Object.entries(ROWS).map(([name, row]) => [name, rows.get(row)?.replace("dropped", "denied")]);
  return Object.fromEntries(all) as Partial<Record<Asked, string>>;
}

async function carried(): Promise<Record<Asked, string>> {
  const all = Object.entries(ASKED).map(async ([name, [from, to]]) => {
    const result = await cluster.see(from, to(), { timeoutMs: 700 });
    return [name, result.startsWith("allowed") ? "allowed" : "denied"] as const;
  });
  return Object.fromEntries(await Promise.all(all)) as Record<Asked, string>;
}

const SERVICE = ["a client uses a Service at its backend's node", "a client uses a Service at another node"] as const;
const only = (...denied: Asked[]) =>
  Object.fromEntries(Object.keys(ASKED).map((name) => [name, denied.includes(name as Asked) ? "denied" : "allowed"]));

test.each<[string, object, Asked[]]>([
  [
    "ingress of the node itself",
    { types: ["Ingress"], ingress: [deny(5432), REST] },
    ["a client asks a node", "a pod asks another node"],
  ],
  ["what it sends", { types: ["Egress"], egress: [deny(8080), REST] }, ["a node asks a host"]],
  [
    "what it sends and forwards",
    { applyOnForward: true, types: ["Egress"], egress: [deny(8080), REST] },
    ["a node asks a host", "a pod asks a host"],
  ],
  ["what comes in for pods", { applyOnForward: true, types: ["Ingress"], ingress: [deny(80), REST] }, [...SERVICE]],
  [
    "what the client wrote",
    { applyOnForward: true, preDNAT: true, types: ["Ingress"], ingress: [deny(30604)] },
    [...SERVICE],
  ],
  [
    "what the client wrote, and not what became of it",
    { applyOnForward: true, preDNAT: true, types: ["Ingress"], ingress: [deny(80)] },
    [],
  ],
  [
    "every packet",
    { applyOnForward: true, doNotTrack: true, types: ["Ingress"], ingress: [deny(5432), deny(30604)] },
    ["a client asks a node", ...SERVICE],
  ],
  ["nothing", { types: ["Ingress"], ingress: [REST] }, []],
])("%s", async (_, spec, denied) => {
  const changed = policy(spec);
  const expected = only(...denied);
  expect(judged(changed)).toEqual(expected);
  expect(expected).toMatchObject(tabled(changed));
  cluster.apply(changed);
  await cluster.carriedOut();
  expect(await carried()).toEqual(expected);
});
