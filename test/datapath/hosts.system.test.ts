// Host endpoints with real connections: what closes a node must not lock its operator out.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, felix, type KubernetesObject, nodes, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { expectToEnd, type Held, hold, staysUnanswered } from "./traffic/holding.ts";
import { serve, serveEchoes } from "./traffic/serving.ts";

const SSH = 22;
const OTHER = 8080;
/** To which a closed node may connect: its API server. */
const API = 6443;
const servers = `for (const port of [${SSH}, ${OTHER}, ${API}]) require("node:net").createServer((socket) => {
  socket.on("error", () => {}); socket.pipe(socket); }).listen(port);`;

/** Closed to what no policy allows. */
const closing: KubernetesObject = {
  apiVersion: "projectcalico.org/v3",
  kind: "HostEndpoint",
  metadata: { name: "master-eth0" },
  spec: { node: "master", interfaceName: "eth0" },
};

let cluster: BareCluster;
let here: Placed;
let there: Placed;
let ssh: Held;
let other: Held;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  here = await cluster.addPod("here", "master", { app: "here" });
  there = await cluster.addPod("there", "node", { app: "there" });
  cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30080 }), endpoints("web", [here, there]));
  for (const where of ["master", "client1"] as const)
    await serve(cluster, where, [process.execPath, "-e", servers], `tcp:${SSH}`, `tcp:${OTHER}`, `tcp:${API}`);
  ssh = hold(cluster, `${nodes.master}:${SSH}`, 41022);
  other = hold(cluster, `${nodes.master}:${OTHER}`, 41080);
  await until("the connections", async () => ssh.echoed > 0 && other.echoed > 0);
  await until("the server outside", reachesOutside);
});
afterAll(() => cluster?.close());

/** Waits until it is echoed. */
async function goesOn(held: Held): Promise<void> {
  const before = held.echoed;
  await until("more echoes", async () => held.echoed > before);
}

/** Waits until a connection that begins now is echoed. */
const connects = (port: number, localPort: number) => goesOn(hold(cluster, `${nodes.master}:${port}`, localPort));

/** What is fail-safe stays open, which proves that the other is closed. */
const isClosedToOthers = (localPort: number) =>
  staysUnanswered(cluster, [`${nodes.master}:${OTHER}`, `${nodes.master}:${SSH}`], localPort, "client1");
const isClosedToOutside = (localPort: number) =>
  staysUnanswered(cluster, [`${clients.client1}:${OTHER}`, `${clients.client1}:${API}`], localPort, "master");

/** Whether a process of the node reaches client1. */
async function reachesOutside(): Promise<boolean> {
  const asking = `const socket = require("node:net").connect(${OTHER}, "${clients.client1}", () => { console.log("reached"); process.exit(); });
    socket.on("error", () => {}); setTimeout(() => process.exit(), 1000);`;
  return (await cluster.run("master", [process.execPath, "-e", asking])).includes("reached");
}

test("a node that is closed by mistake keeps its SSH connections, accepts new ones, and ends everything else", async () => {
  expect([await isClosedToOthers(41_180), await isClosedToOutside(41_190)]).toEqual([false, false]);
  const refused = async () => (await cluster.outcomes("master")).drop_policy_ingress ?? 0;
  await expectToEnd(
    other,
    () => cluster.apply(closing),
    async () => (await refused()) > 0,
  );
  await goesOn(ssh);
  await connects(SSH, 42022);
  expect(await isClosedToOthers(42_080)).toBe(true);
  expect(await isClosedToOutside(42_090)).toBe(true);
  expect((await cluster.outcomes("master")).drop_policy_ingress).toBeGreaterThan(0);
});

test("its pods, the tunnel to them and Services are no traffic of the node itself", async () => {
  expect(await cluster.see("default/here", `${there.address}:80`)).toMatch(/^allowed/);
  expect(await cluster.see("client1", `${nodes.master}:30080`)).toMatch(/^allowed/);
  expect(await cluster.see("client1", `${nodes.node}:30080`)).toMatch(/^allowed/);
  expect(await cluster.see("master", `${here.address}:80`)).toMatch(/^allowed/);
});

test("what becomes fail-safe opens, and what no longer is ends, without a restart", async () => {
  cluster.apply(felix({}, { failsafeInboundHostPorts: [{ protocol: "TCP", port: OTHER }] }));
  await cluster.carriedOut();
  await until("the end of SSH", async () => ((await ssh.silentMs()) ?? 0) > 1000);
  await connects(OTHER, 43080);
});

test("a HostEndpoint that is deleted leaves the node open, and connections go on", async () => {
  cluster.remove(closing);
  await goesOn(ssh);
  await connects(SSH, 44022);
  await until("the server outside", reachesOutside);
});

describe("a node that is open by its host endpoint", () => {
  const open: KubernetesObject = {
    ...closing,
    metadata: { name: "master-eth0", labels: { role: "edge" } },
    spec: { ...(closing.spec as object), profiles: ["projectcalico-default-allow"] },
  };
  const policy = (spec: object): KubernetesObject => ({
    apiVersion: "projectcalico.org/v3",
    kind: "GlobalNetworkPolicy",
    metadata: { name: "edge" },
    spec: { selector: "role == 'edge'", applyOnForward: true, ...spec },
  });
  const toClients = { nets: [`${clients.client1}/32`] };
  const early = (port: number) =>
    policy({
      preDNAT: true,
      ingress: [{ action: "Deny", protocol: "TCP", source: toClients, destination: { ports: [port] } }],
    });
  const sees = (from: "client1" | "client2", to: string, port = 30080) => cluster.see(from, `${to}:${port}`);
  const isRefused = async () => !(await sees("client1", nodes.master)).startsWith("allowed");

  beforeAll(async () => {
    const spec = { ports: [{ name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: 30082 }] };
    const slice = endpoints("echo", [there]);
    cluster.apply(service("echo", { clusterIP: "10.96.0.12", nodePort: 30082, spec }), {
      ...slice,
      ports: [{ name: "echo", protocol: "TCP", port: 82 }],
    });
    await serveEchoes(cluster, there);
    cluster.apply(open);
    await cluster.carriedOut();
    await until("the echo service", async () => (await sees("client1", nodes.master, 30082)).startsWith("allowed"));
  });

  test("refuses what preDNAT denies by the port that the client wrote, at this node only, and ends what is open", async () => {
    const held = hold(cluster, `${nodes.master}:30082`, 45_082);
    await expectToEnd(
      held,
      () => cluster.apply(early(30082)),
      async () => !(await sees("client1", nodes.master, 30082)).startsWith("allowed"),
    );
    expect(await sees("client1", nodes.node, 30082)).toMatch(/^allowed/);
    expect(await sees("client2", nodes.master, 30082)).toMatch(/^allowed/);
    expect(await sees("client1", nodes.master)).toMatch(/^allowed/);
    cluster.apply(early(80));
    await cluster.carriedOut();
    expect(await sees("client1", nodes.master, 30082)).toMatch(/^allowed/);
    expect(await sees("client1", nodes.master)).toMatch(/^allowed/);
  });

  test("forwards what applyOnForward allows, by the backend's port, to pods here and elsewhere, and names who refused", async () => {
    const rules = [
      { action: "Deny", protocol: "TCP", source: toClients, destination: { ports: [80] } },
      { action: "Allow" },
    ];
    cluster.apply(policy({ types: ["Ingress"], ingress: rules }));
    await cluster.carriedOut();
    expect(await isRefused()).toBe(true);
    expect(await sees("client1", nodes.master, 30082)).toMatch(/^allowed/);
    expect(await sees("client2", nodes.master)).toMatch(/^allowed/);
    expect(await cluster.see("default/there", `${here.address}:80`)).toMatch(/^allowed/);
    expect(await cluster.metrics("master")).toMatch(/policy="tier default, GlobalNetworkPolicy edge, ingress rule 1"/);
    const refused = async () => (await cluster.outcomes("master")).drop_policy_egress ?? 0;
    const before = await refused();
    cluster.apply(
      policy({ types: ["Egress"], egress: [{ action: "Deny", destination: toClients }, { action: "Allow" }] }),
    );
    await cluster.carriedOut();
    expect(await isRefused()).toBe(false);
    await cluster.see("default/here", `${clients.client1}:${OTHER}`);
    expect(await refused()).toBeGreaterThan(before);
    expect(await cluster.see("default/there", `${here.address}:80`)).toMatch(/^allowed/);
  });
});
