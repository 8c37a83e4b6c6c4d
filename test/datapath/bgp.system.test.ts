// Two nodes in different subnets, each with BIRD, and a router with BIRD between them; pods have addresses of a pool without encapsulation.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./bare-cluster.ts";
import { echoServer, hold, inPod } from "./holding.ts";
import { clients, endpoints, type KubernetesObject, node, service } from "./objects.ts";
import type { Placed } from "./placed.ts";

const noRouter =
  spawnSync("sh", ["-c", "command -v bird"]).status !== 0 && "SKIP: bird is not installed (tools/bootstrap tests)";
if (noRouter) console.log(noRouter);

const bgp = (kind: string, name: string, spec: object): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind,
  metadata: { name },
  spec,
});
const peer = (on: string, peerIP: string) => bgp("BGPPeer", on, { node: on, peerIP, asNumber: 64500 });
const configuration = (spec: object = {}) => bgp("BGPConfiguration", "default", spec);

/** Answers datagrams. */
const ECHO = `const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (text, { port, address }) => socket.send(text, port, address)).bind(90);`;

/** Sends numbered datagrams until its input ends, with a point for each answer; then says how many of them were answered. The pace leaves buffers
 * room for a computer that does nothing for seconds. */
const COUNTING = `const socket = require("node:dgram").createSocket("udp4");
const missing = new Set(); let sent = 0;
socket.on("message", (text) => { if (missing.delete(text.toString())) process.stdout.write("."); });
const done = () => { console.log(" " + (sent - missing.size) + " of " + sent); process.exit(); };
socket.connect(90, process.argv[1], () => {
  const sending = setInterval(() => { missing.add(String(++sent)); socket.send(String(sent)); }, 50);
  process.stdin.on("end", () => {
    clearInterval(sending);
    setInterval(() => missing.size === 0 && done(), 50);
    setTimeout(done, 30000);
  }).resume();
});`;

describe.skipIf(noRouter)("BGP", () => {
  let cluster: BareCluster;
  let web: Placed;
  let wide: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ routed: true, vxlanMode: "Never" });
    cluster.apply(configuration(), peer("master", "172.31.1.1"), peer("node", "172.31.1.129"));
    [web, wide] = await Promise.all([
      cluster.addPod("web", "node", { app: "web" }),
      cluster.addPod("wide", "master", { app: "wide" }),
    ]);
    cluster.spawn("node", inPod(web, echoServer));
    cluster.spawn("node", inPod(web, [process.execPath, "-e", ECHO]));
    await until("the server of datagrams", async () =>
      (await cluster.run("node", inPod(web, ["ss", "-Hlnu"]))).includes(":90"),
    );
    cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
    await until("the router's routes", async () => {
      const routes = await learned();
      return routes.includes("10.244.0.0/26") && routes.includes("10.244.1.0/26");
    });
  });
  afterAll(() => cluster?.close());

  const learned = () => cluster.run("router", ["ip", "route", "show", "proto", "bird"]);
  const routes = (name: "master" | "node") => cluster.run(name, ["ip", "route", "show", "proto", "bird"]);

  test("the router learns each node's block from that node", async () => {
    expect(await learned()).toMatch(/10\.244\.0\.0\/26 via 172\.31\.1\.8 .*\n?10\.244\.1\.0\/26 via 172\.31\.1\.207 /);
  });

  test("pods reach each other across the router without encapsulation", async () => {
    await until("the route on master", async () => (await routes("master")).includes("10.244.1.0/26"));
    expect(await routes("master")).toContain("10.244.1.0/26 via 172.31.1.1 dev eth0");
    const capture = cluster.spawn("router", ["tcpdump", "-lni", "any", `tcp port 80 or udp port 4789`]);
    let seen = "";
    capture.stdout?.on("data", (text: Buffer) => (seen += text));
    await new Promise((resolve) => capture.stderr?.once("data", resolve));
    await until("the captured packets", async () => {
      expect(await cluster.see("default/wide", `${web.address}:80`)).toBe(`allowed default/web saw ${wide.address}`);
      return seen.includes(`${web.address}.80`);
    });
    capture.kill();
    expect(seen).toContain(`IP ${wide.address}.`);
    expect(seen).not.toMatch(/\.4789|VXLAN/);
  });

  test("a client behind the router reaches pods by their addresses", async () => {
    for (const [client, pod] of [
      ["client2", wide],
      ["client1", web],
    ] as const)
      expect(await cluster.see(client, `${pod.address}:80`)).toBe(`allowed default/${pod.name} saw ${clients[client]}`);
  });

  test("a client behind the router reaches a Service by its cluster address, while its network is announced", async () => {
    expect(await learned()).not.toContain("10.96.0.0/12");
    cluster.apply(configuration({ serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] }));
    await until("the Services' route", async () => /10\.96\.0\.0\/12.*\n?.*nexthop/.test(await learned()));
    for (const client of ["client1", "client2"] as const)
      expect(await cluster.see(client, "10.96.0.10:80")).toBe(`allowed default/web saw ${clients[client]}`);
  });

  test("a thousand prefixes that come and go are followed, but for those of pods, and cost an established flow no packet", async () => {
    const prefixes = Array.from(
      { length: 1000 },
      (_, n) => `198.${18 + (n >> 9)}.${(n >> 1) & 255}.${(n & 1) << 7}/25`,
    );
    const speaker = `log stderr { fatal }; router id 172.31.1.55; protocol device {}
protocol static many { ipv4; ${prefixes.map((prefix) => `route ${prefix} blackhole;`).join("\n")} }
protocol static pods { ipv4; route 10.244.77.0/24 blackhole; }
protocol bgp { local as 64999; neighbor 172.31.1.1 as 64500; ipv4 { import none; export where source = RTS_STATIC; }; }`;
    await cluster.run("client1", ["tee", "/tmp/bird.conf"], speaker);
    cluster.spawn("client1", ["bird", "-f", "-c", "/tmp/bird.conf", "-s", "/tmp/bird.ctl"]);
    const followed = async () => (await routes("node")).split("\n").filter((line) => line.startsWith("198.")).length;
    await until("the prefixes", async () => (await followed()) === 1000);
    expect(await learned()).toContain("10.244.77.0/24");
    expect(await routes("node")).not.toContain("10.244.77.0/24");

    const counting = cluster.spawn("client1", [process.execPath, "-e", COUNTING, web.address], "pipe");
    let said = "";
    counting.stdout?.on("data", (text: Buffer) => (said += text));
    const more = async () => {
      const before = said.length;
      await until("more answers", async () => said.length > before + 10);
    };
    await more();
    for (const step of ["disable many", "enable many", "disable many"]) {
      await cluster.run("client1", ["birdc", "-s", "/tmp/bird.ctl", step]);
      await until(
        `${step}, followed`,
        async () => (await followed()) === (step.startsWith("enable") ? prefixes.length : 0),
      );
      await more();
    }
    counting.stdin?.end();
    await until("the end", async () => said.endsWith("\n"));
    expect(said).toMatch(/ (\d+) of \1\n$/);
  });

  test("an agent that is replaced leaves the routes, and its connections go on", async () => {
    const held = hold(cluster, `${web.address}:82`, 40_001);
    await until("the connection", async () => held.echoed > 0);
    await cluster.endAgent("master");
    await cluster.killAgent("node");
    expect(await learned()).toMatch(/10\.244\.0\.0\/26 .*\n?10\.244\.1\.0\/26 /);
    expect(await routes("master")).toContain("10.244.1.0/26");
    await Promise.all([cluster.startAgent("master"), cluster.startAgent("node")]);
    const before = held.echoed;
    await until("more of the connection", async () => held.echoed > before);
    expect(held.lines).toEqual(["connected"]);
    expect(await learned()).toMatch(/10\.244\.0\.0\/26 .*\n?10\.244\.1\.0\/26 /);
  });

  test("a node that is drained withdraws Services at once, and its block with the last pod", async () => {
    cluster.apply({ ...node("master"), spec: { unschedulable: true } });
    await until("the router to know one node", async () =>
      /10\.96\.0\.0\/12 via 172\.31\.1\.207 /.test(await learned()),
    );
    expect(await cluster.see("client2", `${wide.address}:80`)).toBe(`allowed default/wide saw ${clients.client2}`);
    await cluster.removePod("wide");
    await until("the block to be withdrawn", async () => !(await learned()).includes("10.244.0.0/26"));
    expect(await learned()).toContain("10.244.1.0/26");
  });
});
