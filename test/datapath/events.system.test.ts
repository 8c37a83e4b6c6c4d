import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Flow } from "../../agent/observe/events/flow.ts";
import type { Step } from "../../agent/observe/events/step.ts";
import { missing } from "../observability/documents.ts";
import { metricsOf } from "../observability/exposition.ts";
import { BareCluster, program, until } from "./bare-cluster.ts";
import { endpoints, type NodeName, onlyFrom, returnMode, service } from "./objects.ts";
import type { Placed } from "./placed.ts";

// Events of the packet path: flows for listeners, and every step of a traced connection.
let cluster: BareCluster;
let web: Placed;
let near: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start({ vxlanMode: "Always" });
  web = await cluster.addPod("web", "node", { app: "web" });
  near = await cluster.addPod("near", "node", { app: "near" });
  cluster.apply(
    returnMode("DSR"),
    service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
    endpoints("web", [web]),
    service("empty", { clusterIP: "10.96.0.13", nodePort: 30999 }),
  );
  await until("the service", async () => (await cluster.see("client1", "172.31.1.8:30604")).startsWith("allowed"));
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
    // Pods' own IPv6 (router solicitations, at any moment) is refused too: only this client's packets count.
    const dropped = () =>
      watched.flows.find(({ verdict, client }) => verdict === "dropped" && client?.address === "172.31.1.55");
    cluster.apply(policy);
    try {
      await until("a drop", async () => {
        await cluster.see("client1", "172.31.1.207:30604", { timeoutMs: 300 });
        return dropped() !== undefined;
      });
    } finally {
      cluster.remove(policy);
    }
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
    await refuse();
    await until("the limit", async () => (await reports()).suppressed > 0);
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

/** Traces client1's connection on both nodes and gives the steps in order. */
async function trace(to: string, sourcePort: number): Promise<Step[]> {
  const [host = "", port = ""] = to.split(":");
  const filter = ["--client", "172.31.1.55", "--client-port", String(sourcePort)];
  const words = ["steps", ...filter, "--frontend", host, "--frontend-port", port];
  const watches = (["master", "node"] as const).map((node) => follow<Step | { tracing: true }>(node, ...words));
  await until("both nodes to trace", async () => watches.every(({ lines }) => lines.length > 0));
  await cluster.probe("client1", { to, sourcePort, timeoutMs: 800 });
  await new Promise((resolve) => setTimeout(resolve, 400));
  for (const { child } of watches) child.kill("SIGINT");
  const steps = watches.flatMap(({ lines }) => lines).filter((line): line is Step => "at" in line);
  return steps.sort((a, b) => Number(BigInt(a.at) - BigInt(b.at)));
}

const text = (steps: Step[]) =>
  steps.map(({ node, hook, step, text }) => `${node} ${hook} ${step}: ${text}`).join("\n");

test("a running agent shows every metric and label that the dashboard and the alert rules name", async () => {
  expect(missing(metricsOf(await cluster.metrics("node")))).toEqual([]);
});

describe("traces", () => {
  test("DSR: backend chosen at the entry node, judged and delivered at the backend's node, the reply goes directly back", async () => {
    const seen = text(await trace("172.31.1.8:30604", 40_201));
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
      await until("the policy", async () => (await cluster.see("client1", "172.31.1.8:30604")) === "dropped");
      const seen = text(await trace("172.31.1.8:30604", 40_202));
      expect(seen).toContain("node from_uplink judged: ingress of pod default/web: DENIED for 172.31.1.55");
      expect(seen).toContain("by NetworkPolicy default/only-web");
      expect(seen).toContain("node from_uplink finished: DROPPED (drop_policy_ingress)");
    } finally {
      cluster.remove(policy);
    }
    await until("the policy's end", async () =>
      (await cluster.see("client1", "172.31.1.8:30604")).startsWith("allowed"),
    );
  });

  test("tunnel mode: the reply passes the entry node", async () => {
    cluster.apply(returnMode("Tunnel"));
    try {
      let port = 40_300;
      await until("tunnel mode to be traced", async () => {
        const seen = text(await trace("172.31.1.8:30604", port++));
        return (
          seen.includes("node from_workload wrapped: encapsulated in VXLAN for node master, kind return") &&
          seen.includes("master from_uplink finished: entry node: reply passed on to the client")
        );
      });
    } finally {
      cluster.apply(returnMode("DSR"));
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
    await until("the load balancer", async () =>
      (await cluster.run("node", [process.execPath, program, "inspect", "services"])).includes("198.51.100.7"),
    );
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
    const again = text(await trace("172.31.1.8:30604", 40_401));
    expect(again).toContain("master from_uplink chosen");
  });
});
