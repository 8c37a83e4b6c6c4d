import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { layoutHash } from "../../agent/kernel/layout.gen.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, nodes, onlyFrom, pool, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { hold, MoreHeld } from "./traffic/holding.ts";
import { serveEchoes } from "./traffic/serving.ts";

/** Filters of packets of pods on the wire. */
const [VXLAN, IPIP, PLAIN] = ["udp port 4789", "ip proto 4", "tcp port 82"];

let cluster: BareCluster;
let one: Placed;
let two: Placed;
const web = service("web", { clusterIP: "10.96.0.10", nodePort: 30604 });
const dns = service("dns", { clusterIP: "10.96.0.11", nodePort: 30053, protocol: "UDP" });

beforeAll(async () => {
  cluster = await BareCluster.start();
  [one, two] = await Promise.all([
    cluster.addPod("one", "node", { app: "web" }),
    cluster.addPod("two", "node", { app: "web" }),
  ]);
  cluster.apply(returnMode("DSR"), web, endpoints("web", [one]), dns, endpoints("dns", [one], "UDP"));
  await cluster.carriedOut();
});
afterAll(() => cluster?.close());

/** New connections while programs and maps are switched: each one has its server's answer. A reset after the opening counts as allowed, since a server
 * may have sent it; it brings none. */
function expectServed(results: readonly AttemptResult[]): void {
  expect(results.filter(({ verdict, server }) => verdict !== "allowed" || server === undefined)).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(100);
}

async function startEcho(backend: Placed): Promise<void> {
  await serveEchoes(cluster, backend);
  applyEcho([backend]);
  await until("the echo service", async () => (await cluster.see("client1", "172.31.1.8:30082")).startsWith("allowed"));
}

function applyEcho(backends: Placed[], terminating = false): void {
  const spec = { ports: [{ name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: 30082 }] };
  const slice = endpoints(
    "echo",
    backends.map((backend) => ({ ...backend, terminating })),
  );
  cluster.apply(service("echo", { clusterIP: "10.96.0.12", nodePort: 30082, spec }), {
    ...slice,
    ports: [{ name: "echo", protocol: "TCP", port: 82 }],
  });
}

test("two live connections with the same source port at one backend both work: the later gets another port", async () => {
  const meet = `
    const { connect } = require("node:net");
    const doors = [["172.31.1.8", 30604], ["172.31.1.207", 30604]];
    const open = ([host, port]) => new Promise((resolve) => {
      const socket = connect({ host, port, localPort: 45001 });
      socket.on("connect", () => resolve(socket)); socket.on("error", (error) => resolve(error));
    });
    (async () => {
      const sockets = [await open(doors[0]), await open(doors[1])];
      for (const socket of sockets) {
        socket.write?.("hello\\n");
        const answer = await new Promise((resolve) => socket.on?.("data", resolve) ?? resolve(String(socket)));
        console.log(String(answer).trim());
      }
      process.exit(0);
    })();`;
  const output = await cluster.run("client1", [process.execPath, "-e", meet]);
  const seen = output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { source: string; sourcePort: number });
  expect(seen.map(({ source }) => source)).toEqual(["172.31.1.55", "172.31.1.55"]);
  expect(seen[0]?.sourcePort).toBe(45_001);
  expect(seen[1]?.sourcePort).not.toBe(45_001);
});

test("a terminating backend keeps its connection and gets no new one; after its removal the connection is reset", async () => {
  await startEcho(one);
  const held = hold(cluster, "172.31.1.8:30082", 45_100);
  await until("the connection", async () => held.lines.includes("connected"));

  applyEcho([one], true);
  cluster.apply(endpoints("web", [{ ...one, terminating: true }, two]));
  await until("new connections to reach the other pod", async () => {
    const results = await cluster.probe("client1", { to: "172.31.1.8:30604", count: 8 });
    return results.every(({ server }) => server === "default/two");
  });
  const { echoed } = held;
  await until("echoes of the terminating backend", async () => held.echoed > echoed + 5);
  expect(held.lines).toEqual(["connected"]);

  applyEcho([]);
  await cluster.removePod("one");
  await until("the reset", async () => held.lines.includes("closed"));
  expect(held.lines).toContain("error ECONNRESET");
  one = await cluster.addPod("one", "node", { app: "web" });
  cluster.apply(endpoints("web", [one]), endpoints("dns", [one], "UDP"));
  await cluster.carriedOut();
});

test("a UDP client that never changes its port gets another backend when its own is removed", async () => {
  const ask = async () =>
    (await cluster.probe("client1", { to: "172.31.1.8:30053", protocol: "udp", sourcePort: 45_200 }))[0];
  await until("the first backend", async () => (await ask())?.server === "default/one");
  cluster.apply(endpoints("dns", [two], "UDP"));
  await until("the second backend", async () => (await ask())?.server === "default/two");
  expect(await ask()).toMatchObject({ verdict: "allowed", source: "172.31.1.55" });
});

test("a policy that is added later stops an established connection, which continues when the policy is removed", async () => {
  await startEcho(two);
  const held = hold(cluster, "172.31.1.8:30082", 45_300);
  await until("the connection", async () => held.lines.includes("connected"));
  const dropped = async () => (await cluster.outcomes("node")).drop_policy_ingress ?? 0;
  const before = await dropped();
  const policy = onlyFrom("web", "172.31.1.162/32");
  cluster.apply(policy);
  await until("packets of the connection to be dropped", async () => (await dropped()) > before);
  expect(held.lines).toEqual(["connected"]);
  cluster.remove(policy);
  await cluster.carriedOut();
  expect(await cluster.see("client1", "172.31.1.8:30604")).toMatch(/^allowed/);
});

test("established connections follow the pool through all modes of encapsulation, and so does the pod's MTU", async () => {
  const asker = await cluster.addPod("asker", "master", { app: "asker" });
  await startEcho(one);
  const held = hold(cluster, `${one.address}:82`, 45_400, asker);
  const external = hold(cluster, "172.31.1.8:30082", 45_401);
  await until("the connections", async () => [held, external].every(({ lines }) => lines.includes("connected")));
  const wrapped = async () => (await cluster.outcomes("master")).to_overlay ?? 0;
  const grows = async () => {
    const before = await wrapped();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return (await wrapped()) > before;
  };
  const mtu = async () => {
    const link = ["ip", "-json", "link", "show", "dev", "eth0"];
    const shown = await cluster.run("master", ["nsenter", `--net=/run/netns/${asker.name}`, ...link]);
    return (JSON.parse(shown) as { mtu: number }[])[0]?.mtu;
  };
  /** Waits for packets of the connection on the wire, in both directions. */
  const onWire = async (filter: string) => {
    const capture = (way: string) => [
      "tcpdump",
      "-nni",
      "eth0",
      "-c",
      "3",
      filter === PLAIN ? `${way} host ${one.address} and ${filter}` : `${way} host ${nodes.node} and ${filter}`,
    ];
    await Promise.all(["src", "dst"].map((way) => cluster.run("master", capture(way))));
  };
  const follows = async (vxlanMode: string, ipipMode: string, filter: string, room?: number) => {
    cluster.apply(pool(vxlanMode, ipipMode));
    await cluster.carriedOut();
    const mode = `VXLAN ${vxlanMode}, IPIP ${ipipMode}`;
    await until(`packets of the connection, ${mode}`, async () => (await grows()) === (filter !== PLAIN));
    if (room !== undefined) await until(`the pod's MTU, ${mode}`, async () => (await mtu()) === 1500 - room);
    await onWire(filter);
    const arrived = [held.echoed, external.echoed] as const;
    await until("more to come back", async () => held.echoed > arrived[0] && external.echoed > arrived[1]);
  };
  expect(await grows()).toBe(false);
  await follows("Always", "Never", VXLAN, 50);
  await follows("Never", "Never", PLAIN, 0);
  await follows("Never", "Always", IPIP, 20);
  await follows("Always", "Never", VXLAN);
  await follows("Never", "CrossSubnet", PLAIN);
  await follows("Never", "Always", IPIP);
  await follows("CrossSubnet", "Never", PLAIN);
  expect([held.lines, external.lines]).toEqual([["connected"], ["connected"]]);
});

test("a killed agent drops no packet, and its successor takes over the existing state, of another layout too", async () => {
  cluster.apply(endpoints("web", [one, two]));
  await startEcho(two);
  const held = hold(cluster, "172.31.1.8:30082", 45_499);
  await until("the connection", async () => held.lines.includes("connected"));
  await until("both pods to answer", async () => {
    const results = await cluster.probe("client1", { to: "172.31.1.8:30604", count: 20 });
    return new Set(results.map(({ server }) => server)).size === 2;
  });
  let restarted = false;
  const results: AttemptResult[] = [];
  const traffic = (async () => {
    // The timeout allows for a busy computer, which attaches programs for seconds: the test is that nothing is lost for good, or refused.
    while (!restarted || results.length < 100) {
      results.push(...(await cluster.probe("client1", { to: "172.31.1.8:30604", count: 10, timeoutMs: 60_000 })));
      await pause(50); // leaves the agents some CPU
    }
  })();
  await Promise.all([cluster.killAgent("master"), cluster.killAgent("node")]);
  expect(await cluster.see("client2", "172.31.1.8:30604")).toMatch(/^allowed/);
  // The programs of the backend's node go on with maps that the next agent takes for those of another version.
  const pins = "/sys/fs/bpf/ebpf-dataplane";
  await cluster.run("node", ["mv", `${pins}/${layoutHash}`, `${pins}/older`]);
  const more = new MoreHeld(cluster, "172.31.1.8:30082");
  await more.goOn();
  await Promise.all([cluster.startAgent("master"), cluster.startAgent("node")]);
  restarted = true;
  await traffic;
  expect(cluster.log("node")).toMatch(/"\d+ entries of connections and affinities are taken over from another layout/);
  expect(await cluster.run("node", ["ls", pins])).toBe(`${layoutHash}\nlinks\n`);
  await more.goOn();
  const { echoed } = held;
  await until("more echoes", async () => held.echoed > echoed + 10);
  expect(held.lines).toEqual(["connected"]);
  expect(more.end()).toEqual({});
  expectServed(results);
});

test("other sizes of the kernel's tables: the agents start again, and no connection ends", async () => {
  cluster.apply(endpoints("web", [one, two]));
  await startEcho(two);
  const held = [45_500, 45_501].map((port) => hold(cluster, "172.31.1.8:30082", port));
  await until("the connections", async () => held.every(({ lines }) => lines.includes("connected")));
  let resized = false;
  const results: AttemptResult[] = [];
  const traffic = (async () => {
    while (!resized || results.length < 100) {
      results.push(...(await cluster.probe("client1", { to: "172.31.1.8:30604", count: 10, timeoutMs: 60_000 })));
      await pause(50);
    }
  })();
  const sizes = { bpfMapSizeConntrack: 2_000, bpfMapSizeNATFrontend: 5_000, bpfMapSizeNATBackend: 6_000 };
  for (const spec of [sizes, {}]) {
    cluster.apply(felix({}, { ...spec, bpfExternalServiceMode: "DSR" }));
    await Promise.all([cluster.agentStartsAgain("master"), cluster.agentStartsAgain("node")]);
    const capacity = "bpfMapSizeNATFrontend" in spec ? 5_000 : 131_072;
    expect(await cluster.metrics("master")).toContain(`ebpf_dataplane_map_capacity{map="frontends"} ${capacity}`);
    if ("bpfMapSizeConntrack" in spec) {
      const live = async () => Number(/map_entries\{map="proven"\} (\d+)/.exec(await cluster.metrics("node"))?.[1]);
      await until("the connections to be counted", async () => (await live()) >= 4);
      expect(await cluster.metrics("node")).toContain('ebpf_dataplane_map_capacity{map="proven"} 1500');
    }
    const echoed = held.map((one) => one.echoed);
    await until("more echoes", async () => held.every((one, index) => one.echoed > (echoed[index] ?? 0) + 10));
  }
  resized = true;
  await traffic;
  expect(held.map(({ lines }) => lines)).toEqual([["connected"], ["connected"]]);
  expectServed(results);
});
