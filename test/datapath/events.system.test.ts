import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import type { FlowLine } from "../../agent/observe/events/flow-stream.ts";
import type { Step } from "../../agent/observe/events/step.ts";
import { type FlowLogLine, flowLogLine, type IntervalRecord } from "../../model/flow/record.ts";
import { missing } from "../observability/documents.ts";
import { metricsOf } from "../observability/exposition.ts";
import { BareCluster, program, until } from "./cluster/bare-cluster.ts";
import {
  type ClientName,
  clients,
  endpoints,
  felix,
  type KubernetesObject,
  type NodeName,
  onlyFrom,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";

// Events of the packet path: flows for listeners, and every step of a traced connection.
let cluster: BareCluster;
let web: Placed;
let near: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always", settings: { serviceMetrics: {} } });
  web = await cluster.addPod("web", "node", { app: "web" });
  near = await cluster.addPod("near", "node", { app: "near" });
  cluster.apply(
    returnMode("DSR"),
    service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
    endpoints("web", [web]),
    service("empty", { clusterIP: "10.96.0.13", nodePort: 30999 }),
  );
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

/** The JSON lines of a running inspect command. */
function follow<T>(node: NodeName, ...words: string[]): { lines: T[]; child: ChildProcess } {
  const child = cluster.spawn(node, [process.execPath, program, "inspect", ...words, "--json"]);
  const lines: T[] = [];
  let rest = "";
  child.stdout?.on("data", (text: Buffer) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(JSON.parse(part) as T);
  });
  return { lines, child };
}

async function flowsOf(node: NodeName): Promise<{ flows: Flow[]; stop: () => void }> {
  const { lines, child } = follow<Flow>(node, "flows");
  // The first event shows that the listener is active.
  await until(`${node} to report flows`, async () => {
    await cluster.see("client2", "172.31.1.8:30604");
    return lines.length > 0;
  });
  return { flows: lines, stop: () => child.kill("SIGINT") };
}

describe("flows", () => {
  test("an opened connection is reported by both nodes, with names, backend and the path of its reply", async () => {
    const [entry, behind] = [await flowsOf("master"), await flowsOf("node")];
    await cluster.probe("client1", { to: "172.31.1.8:30604", sourcePort: 40_101 });
    const find = ({ flows }: { flows: Flow[] }) => flows.find(({ client }) => client?.port === 40_101);
    await until("both to report it", async () => find(entry) !== undefined && find(behind) !== undefined);
    entry.stop();
    behind.stop();
    expect(find(entry)).toMatchObject({
      node: "master",
      verdict: "opened",
      protocol: "TCP",
      client: { address: "172.31.1.55" },
      to: { address: "172.31.1.8", port: 30_604 },
      service: "default/web:web",
      backend: { address: web.address, port: 80, name: "pod default/web" },
      reply: "direct",
      peer: "node node",
    });
    expect(find(behind)).toMatchObject({
      node: "node",
      verdict: "opened",
      service: "default/web:web",
      reply: "direct",
    });
  });

  test("a refused packet is reported with its reason; a pod's socket with its service", async () => {
    const watched = await flowsOf("node");
    const policy = onlyFrom("web", "172.31.1.162/32");
    const only = follow<Flow>("node", "flows", "--refused", "--policy", "default/only-web");
    // Pods' own IPv6 is refused too, and the rest of a connection from before the policy, without a backend: only this client's openings count.
    const isDrop = ({ verdict, client, backend }: Flow) =>
      verdict === "dropped" && client?.address === clients.client1 && backend;
    const dropped = () => watched.flows.find(isDrop);
    cluster.apply(policy);
    try {
      await until("a drop", async () => {
        await cluster.see("client1", "172.31.1.207:30604", { timeoutMs: 300 });
        return dropped() !== undefined && only.lines.length > 0;
      });
    } finally {
      cluster.remove(policy);
      only.child.kill("SIGINT");
      await cluster.carriedOut();
    }
    expect(new Set(only.lines.map(({ verdict }) => verdict))).toEqual(new Set(["dropped"]));
    expect(dropped()).toMatchObject({
      reason: "drop_policy_ingress",
      service: "default/web:web",
      backend: { address: web.address, name: "pod default/web" },
    });
    await cluster.see("default/near", "10.96.0.13:80");
    await cluster.see("default/near", "10.96.0.10:80");
    const sockets = () =>
      watched.flows.filter(({ socket }) => socket).map(({ verdict, service }) => `${verdict} ${service}`);
    for (const one of ["rejected default/empty:web", "opened default/web:web"])
      await until(
        `the socket ${one}`,
        async () => sockets().includes(one),
        () => sockets().join(", "),
      );
    watched.stop();
    expect(watched.flows).toContainEqual(
      expect.objectContaining({ verdict: "opened", client: expect.objectContaining({ name: "pod default/near" }) }),
    );
  });

  test("a flood of refused packets is partly reported, the rest is counted; without a listener nothing is reported", async () => {
    const reports = async () => {
      const page = await cluster.metrics("node");
      const read = (name: string) =>
        Number(new RegExp(`^ebpf_dataplane_${name}\\{event="refused"\\} (\\S+)`, "m").exec(page)?.[1]);
      return { reported: read("events_total"), suppressed: read("events_suppressed_total") };
    };
    const refuse = async () => {
      const flood = `const s = require("node:dgram").createSocket("udp4"); let left = 3000;
        const go = () => (left-- ? s.send("x", 80, process.argv[1], go) : s.close()); go();`;
      await cluster.run("client1", ["ip", "route", "replace", "10.244.1.0/26", "via", "172.31.1.207"]);
      const unused = "10.244.1.62";
      await cluster.run("client1", [process.execPath, "-e", flood, unused]);
    };
    const watched = await flowsOf("node");
    await until("the limit", () => refuse().then(async () => (await reports()).suppressed > 0));
    expect((await reports()).reported).toBeGreaterThan(0);
    watched.stop();
    await until("the listener to be gone", async () => {
      const before = await reports();
      await refuse();
      const after = await reports();
      return before.reported === after.reported && before.suppressed === after.suppressed;
    });
  });
});

/** What a node's flow log says now. */
async function keptOf(node: NodeName, ...filter: string[]): Promise<FlowLogLine[]> {
  const text = await cluster.run(node, [process.execPath, program, "inspect", "flow-log", "--json", ...filter]);
  return text.split("\n").flatMap((line) => (line ? [flowLogLine.parse(JSON.parse(line))] : []));
}
const keptFlows = async (node: NodeName, ...filter: string[]) =>
  (await keptOf(node, ...filter)).filter((line) => line.type === "flow");

describe("flow log", () => {
  const denied = onlyFrom("web", "172.31.1.162/32");
  const logged = (flushInterval: string) =>
    felix({}, { bpfExternalServiceMode: "DSR", flowLogsFileEnabled: true, flowLogsFlushInterval: flushInterval });

  test("off by default, and no file is made", async () => {
    expect(await keptOf("node")).toEqual([]);
  });

  test("flows with names, counts and who denied them; those of a connection that was open before, too", async () => {
    const { address } = web;
    const hold = cluster.spawn("client2", [process.execPath, "-e", HOLD, "172.31.1.207", "30604"]);
    await new Promise((resolve) => hold.stdout?.once("data", resolve));
    cluster.apply(logged("1h"));
    await until("the flow log", async () => (await keptOf("node")).length > 0);
    await cluster.see("client1", "172.31.1.8:30604");
    // With the log there is a history: a reader that comes later is told of what was before.
    await until("a connection in the history", async () => {
      await cluster.see("client1", "172.31.1.8:30604");
      const { lines, child } = follow<FlowLine>("node", "flows", "--since", "600", "--from", clients.client1);
      await until("the past, or why there is none", async () => lines.length > 0 || child.exitCode !== null);
      child.kill("SIGINT");
      return lines[0] !== undefined && "verdict" in lines[0];
    });
    await cluster.see("default/near", `${address}:80`);
    cluster.apply(denied);
    try {
      await until("a denial", async () => {
        await cluster.see("client1", "172.31.1.207:30604", { timeoutMs: 300 });
        return (await keptFlows("node", "--verdict", "denied")).length > 0;
      });
    } finally {
      cluster.remove(denied);
      await cluster.carriedOut();
    }
    const to = { kind: "pods", namespace: "default", workload: "web", labels: { app: "web" } };
    const allowed = { to, protocol: "TCP", port: 80, verdict: "allowed", node: "node", packetsRefused: 0 };
    const outside = (name: ClientName) => ({ kind: "network", cidr: `${clients[name]}/32` });
    const found = await keptFlows("node", "--port", "80");
    expect(found).toContainEqual(
      expect.objectContaining({
        ...{ ...allowed, to: expect.objectContaining(to), from: outside("client1") },
        ...{ at: "destination", service: "default/web:web", connections: expect.any(Number) },
      }),
    );
    expect(found).toContainEqual(
      expect.objectContaining({
        ...{ ...allowed, to: expect.objectContaining(to), at: "both", connections: 1 },
        from: expect.objectContaining({ kind: "pods", workload: "near" }),
      }),
    );
    // Its opening was before the log: it sends on. Those of earlier tests may count too, while they end.
    const earlier = expect.objectContaining({ from: outside("client2"), verdict: "allowed", connections: 0 });
    expect(found).toContainEqual(earlier);
    expect(
      found.find(({ from }) => from.kind === "network" && from.cidr === outside("client2").cidr)?.active,
    ).toBeGreaterThan(0);
    expect(found).toContainEqual(
      expect.objectContaining({
        ...{ from: outside("client1"), verdict: "denied", reason: "drop_policy_ingress", connections: 0 },
        policy: expect.stringContaining("NetworkPolicy default/only-web"),
      }),
    );
    cluster.apply(STAGED);
    const judged = () => keptFlows("node", "--staged", "--verdict", "allowed", "--port", "80");
    await until("what a staged policy would decide", async () => (await judged()).length > 1);
    expect((await judged()).map(({ from, staged }) => [from.kind, staged?.verdict]).sort()).toEqual([
      ["network", "denied"],
      ["network", "denied"],
    ]);
    expect(await cluster.see("client1", "172.31.1.207:30604")).toContain("allowed");
    cluster.remove(STAGED);
    // The entry node only sends on: it does not count the connection a second time.
    expect(await keptFlows("master", "--port", "80", "--verdict", "allowed")).toEqual([]);
    hold.kill();
  });

  test("intervals are written to a file, and what was lost in a flood is counted", async () => {
    cluster.apply(logged("1s"));
    await until("an interval in a file", async () => (await keptOf("node")).filter(isInterval).length > 1);
    const lost = async () => (await keptOf("node")).filter(isInterval).reduce((sum, one) => sum + one.lostRefusals, 0);
    const flood = `const s = require("node:dgram").createSocket("udp4"); let left = 3000;
      const go = () => (left-- ? s.send("x", 80, "10.244.1.62", go) : s.close()); go();`;
    await cluster.run("client1", ["ip", "route", "replace", "10.244.1.0/26", "via", "172.31.1.207"]);
    await until("lost events", async () => {
      await cluster.run("client1", [process.execPath, "-e", flood]);
      return (await lost()) > 0;
    });
    const unknown = (await keptFlows("node", "--verdict", "refused")).filter(({ reason }) => reason !== undefined);
    expect(unknown.map(({ reason }) => reason)).toContain("drop_unknown_endpoint");
    cluster.apply(returnMode("DSR"));
    await until("its end", async () => {
      const before = (await keptOf("node")).length;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return (await keptOf("node")).length === before;
    });
  });
});

const STAGED: KubernetesObject = {
  apiVersion: "projectcalico.org/v3",
  kind: "StagedKubernetesNetworkPolicy",
  metadata: { name: "only-pods", namespace: "default" },
  spec: { podSelector: { matchLabels: { app: "web" } }, ingress: [{ from: [{ podSelector: {} }] }] },
};

const isInterval = (line: FlowLogLine): line is IntervalRecord => line.type === "interval";

// Connects, says so, and sends a byte every 100 ms.
const HOLD = `const s = require("node:net").connect(+process.argv[2], process.argv[1], () => console.log("open"));
  s.on("error", () => {}); s.on("data", () => {}); setInterval(() => s.write("G"), 100);`;

/** Traces client1's connection on both nodes until these steps came, and gives all in order. */
async function trace(to: string, sourcePort: number, ...ends: string[]): Promise<Step[]> {
  const [host = "", port = ""] = to.split(":");
  const filter = ["--client", "172.31.1.55", "--client-port", String(sourcePort)];
  const words = ["steps", ...filter, "--frontend", host, "--frontend-port", port];
  const watches = (["master", "node"] as const).map((node) => follow<Step | { tracing: true }>(node, ...words));
  await until("both nodes to trace", async () => watches.every(({ lines }) => lines.length > 0));
  await cluster.probe("client1", { to, sourcePort });
  const steps = () => watches.flatMap(({ lines }) => lines).filter((line): line is Step => "at" in line);
  await until(
    "the steps",
    async () => ends.every((end) => text(steps()).includes(end)),
    () => text(steps()),
  );
  for (const { child } of watches) child.kill("SIGINT");
  return steps().sort((a, b) => Number(BigInt(a.at) - BigInt(b.at)));
}

const text = (steps: Step[]) =>
  steps.map(({ node, hook, step, text }) => `${node} ${hook} ${step}: ${text}`).join("\n");

test("a running agent shows every metric and label that the dashboard and the alert rules name", async () => {
  expect(missing(metricsOf(await cluster.metrics("node")))).toEqual([]);
});

describe("traces", () => {
  test("DSR: backend chosen at the entry node, judged and delivered at the backend's node, the reply goes directly back", async () => {
    const seen = text(await trace("172.31.1.8:30604", 40_201, "uplink wrapped", "node from_workload finished"));
    expect(seen).toMatch(
      /^master from_uplink arrived: TCP SYN 172.31.1.55:40201 > 172.31.1.8:30604 \(service default\/web:web\)/,
    );
    expect(seen).toContain(`master from_uplink chosen: backend ${web.address}:80 (pod default/web) on node node`);
    expect(seen).toContain("master from_uplink wrapped: encapsulated in VXLAN for node node, kind forward direct");
    expect(seen).toMatch(/^node from_uplink arrived: .* on eth0, encapsulated by node master$/m);
    expect(seen).toContain("node from_uplink judged: ingress of pod default/web: no policy selects it");
    expect(seen).toMatch(
      /node from_uplink finished: delivered to a workload of this node: 172.31.1.55:40201 > \S+:80 \(pod/,
    );
    expect(seen).toContain("node from_workload known: reply: source becomes 172.31.1.8:30604");
    expect(seen).toContain("node from_workload finished: backend's node: reply straight to the client");
    expect(seen).not.toContain("encapsulated by node node");
  });

  test("a dropped packet is reported with the place, the reason and the policy", async () => {
    const policy = onlyFrom("web", "172.31.1.162/32");
    cluster.apply(policy);
    try {
      await cluster.carriedOut();
      const seen = text(await trace("172.31.1.8:30604", 40_202, "node from_uplink finished"));
      expect(seen).toContain("node from_uplink judged: ingress of pod default/web: DENIED for 172.31.1.55");
      expect(seen).toContain("no rule of NetworkPolicy default/only-web allows it (end of tier default)");
      expect(seen).toContain("node from_uplink finished: DROPPED (drop_policy_ingress)");
    } finally {
      cluster.remove(policy);
    }
    await cluster.carriedOut();
  });

  test("tunnel mode: the reply passes the entry node", async () => {
    cluster.apply(returnMode("Tunnel"));
    await cluster.carriedOut();
    try {
      const seen = text(await trace("172.31.1.8:30604", 40_300, "kind return", "finished: entry node: reply"));
      expect(seen).toContain("node from_workload wrapped: encapsulated in VXLAN for node master, kind return");
      expect(seen).toContain("master from_uplink finished: entry node: reply passed on to the client");
    } finally {
      cluster.apply(returnMode("DSR"));
      await cluster.carriedOut();
    }
  });

  test("from a pod to a cluster address: the socket gets the backend; one command on the node shows it", async () => {
    const words = ["inspect", "trace", "default/near", "10.96.0.10:80", "--json"];
    const { attempt, steps } = JSON.parse(await cluster.run("node", [process.execPath, program, ...words]));
    expect(attempt).toMatchObject({ verdict: "allowed", source: near.address });
    const seen = text(steps);
    expect(seen).toMatch(/node connect arrived: a socket requests TCP 10.96.0.10:80 \(service default\/web:web\)/);
    expect(seen).toContain(`node connect chosen: backend ${web.address}:80 (pod default/web)`);
    expect(seen).toMatch(/node from_workload arrived: TCP SYN \S+ \(pod default\/near\) > \S+:80 \(pod default\/web\)/);
  });

  test("a refused socket is reported with the reason, in traces and in watch", async () => {
    const guarded = { type: "LoadBalancer", loadBalancerSourceRanges: ["192.0.2.0/24"] };
    cluster.apply({
      ...service("guarded", { clusterIP: "10.96.0.14", nodePort: 30998, spec: guarded }),
      status: { loadBalancer: { ingress: [{ ip: "198.51.100.7" }] } },
    });
    await cluster.carriedOut();
    const watched = await flowsOf("node");
    for (const [to, why] of [
      ["198.51.100.7:80", "DROPPED (drop_source_range)"],
      ["10.96.0.13:80", "REJECTED (reject_no_backend)"],
    ] as const) {
      const words = ["inspect", "trace", "default/near", to, "--json"];
      const { steps } = JSON.parse(await cluster.run("node", [process.execPath, program, ...words]));
      expect(text(steps)).toContain(`node connect finished: ${why}`);
    }
    await until("the refusals to be reported", async () =>
      ["drop_source_range", "reject_no_backend"].every((name) => watched.flows.some(({ reason }) => reason === name)),
    );
    watched.stop();
  });

  test("afterwards the ordinary programs run again, also if the agent was killed during the trace", async () => {
    const { lines, child } = follow<object>(
      "master",
      ...["steps", "--client", "172.31.1.55", "--client-port", "40400"],
      ...["--frontend", "172.31.1.8", "--frontend-port", "30604", "--seconds", "2"],
    );
    await until("the trace", async () => lines.length > 0);
    await cluster.killAgent("master");
    child.kill("SIGKILL");
    expect(await cluster.see("client1", "172.31.1.8:30604")).toMatch(/^allowed/);
    await cluster.startAgent("master");
    expect(await cluster.see("client1", "172.31.1.8:30604")).toMatch(/^allowed/);
    const again = text(await trace("172.31.1.8:30604", 40_401, "master from_uplink chosen"));
    expect(again).toContain(`master from_uplink chosen: backend ${web.address}:80`);
  });
});
