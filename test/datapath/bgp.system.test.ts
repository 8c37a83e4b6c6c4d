// Two nodes in different subnets, each with BIRD, and a router with BIRD between them; pods have addresses of a pool without encapsulation.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  clients,
  endpoints,
  type KubernetesObject,
  node,
  nodes,
  pool,
  routedNodeIpv6,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { COUNTING, ECHO } from "./traffic/counting.ts";
import { type Held, hold } from "./traffic/holding.ts";
import { serve, serveEchoes } from "./traffic/serving.ts";

const noRouter =
  spawnSync("sh", ["-c", "command -v bird"]).status !== 0 && "SKIP: bird is not installed (tools/bootstrap tests)";
if (noRouter) console.log(noRouter);

const md5 = `zgrep -hqs "CONFIG_TCP_MD5SIG is not set" /proc/config.gz "/boot/config-$(uname -r)"`;
const noPasswords = spawnSync("sh", ["-c", md5]).status === 0 && "SKIP: the kernel does not sign TCP (TCP_MD5SIG)";
if (noPasswords) console.log(noPasswords);

const bgp = (kind: string, name: string, spec: object): KubernetesObject => ({
  apiVersion: "projectcalico.org/v3",
  kind,
  metadata: { name },
  spec,
});
const peer = (on: string, peerIP: string, name = on) => bgp("BGPPeer", name, { node: on, peerIP, asNumber: 64500 });
const configuration = (spec: object = {}) => bgp("BGPConfiguration", "default", spec);

describe.skipIf(noRouter)("BGP", () => {
  let cluster: BareCluster;
  let web: Placed;
  let wide: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ routed: true, vxlanMode: "Never", stack: "dual" });
    cluster.apply(configuration(), peer("master", "172.31.1.1"), peer("node", "172.31.1.129"));
    cluster.apply(peer("master", "fd00:172:31:1::1", "master-ipv6"), peer("node", "fd00:172:31:2::1", "node-ipv6"));
    [web, wide] = await Promise.all([
      cluster.addPod("web", "node", { app: "web" }),
      cluster.addPod("wide", "master", { app: "wide" }),
    ]);
    await serveEchoes(cluster, web);
    await serve(cluster, web, [process.execPath, "-e", ECHO], "udp:90");
    cluster.apply(service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }), endpoints("web", [web]));
    await until("the router's routes", async () => {
      const routes = await learned();
      return routes.includes("10.244.0.0/26") && routes.includes("10.244.1.0/26");
    });
  });
  afterAll(() => cluster?.close());

  const excluded = (): KubernetesObject => {
    const { metadata, ...master } = node("master", undefined, "dual");
    const labels = {
      "kubernetes.io/hostname": "master",
      "node.kubernetes.io/exclude-from-external-load-balancers": "",
    };
    return { ...master, metadata: { ...metadata, labels } };
  };
  const more = (held: Held) => {
    const { echoed } = held;
    return async () => held.echoed > echoed + 3;
  };
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

  test("so they do in IPv6", async () => {
    await until("the answer", async () => {
      const seen = await cluster.see("default/wide", `[${web.addressIpv6}]:80`);
      return seen === `allowed default/web saw ${wide.addressIpv6}`;
    });
    expect(await cluster.run("master", ["ip", "-6", "route", "show", "proto", "bird"])).toContain(
      "fd00:10:244:1::/122 via fd00:172:31:1::1",
    );
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

  test("a node that is excluded from external load balancers announces its blocks and no Services", async () => {
    cluster.apply(excluded());
    await until("the way by the other node", async () => /10\.96\.0\.0\/12 via 172\.31\.1\.207 /.test(await learned()));
    expect(await learned()).toContain("10.244.0.0/26 via 172.31.1.8 ");
    expect(await cluster.see("client1", "10.96.0.10:80")).toBe(`allowed default/web saw ${clients.client1}`);
    cluster.apply(node("master", undefined, "dual"));
    await until("both ways", async () => /10\.96\.0\.0\/12.*\n?.*nexthop/.test(await learned()));
  });

  test("the router gets communities, and a Service with local traffic policy only from nodes that have a backend", async () => {
    const spec = { externalIPs: ["198.51.100.9"], externalTrafficPolicy: "Local" };
    const ports = [{ name: "web", protocol: "TCP", port: 80, targetPort: 80, nodePort: 30699 }];
    const local = service("local", { clusterIP: "10.96.0.19", nodePort: 30699, spec: { ...spec, ports } });
    cluster.apply(
      local,
      endpoints("local", [web]),
      configuration({
        serviceClusterIPs: [{ cidr: "10.96.0.0/12" }],
        serviceExternalIPs: [{ cidr: "198.51.100.9/32" }],
        communities: [{ name: "pods", value: "64512:7" }],
        prefixAdvertisements: [{ cidr: "10.244.0.0/16", communities: ["pods", "64512:1:2"] }],
      }),
    );
    const told = (network: string) => cluster.run("router", ["birdc", "show", "route", network, "all"]);
    await until("the communities", async () => (await told("10.244.1.0/26")).includes("(64512,7)"));
    expect(await told("10.244.1.0/26")).toContain("(64512, 1, 2)");
    expect(await told("10.96.0.0/12")).not.toContain("(64512,7)");
    const ways = async () =>
      [...(await learned()).matchAll(/^198\.51\.100\.9 .*(?:\n\s.*)*/gm)].join().match(/via \S+/g);
    await until("the one node", async () => (await ways())?.join() === "via 172.31.1.207");
    expect(await cluster.see("client1", "198.51.100.9:80")).toBe(`allowed default/web saw ${clients.client1}`);
    cluster.apply(endpoints("local", [wide]));
    await until("the other node", async () => (await ways())?.join() === "via 172.31.1.8");
    const said = "Service default/local, spec.externalIPs: no node announces 198.51.100.9: ";
    cluster.apply(excluded());
    await until("no node", async () => (await ways()) === null);
    for (const name of ["master", "node"] as const) expect(cluster.log(name)).toContain(said);
    cluster.apply(node("master", undefined, "dual"));
    await until("the other node again", async () => (await ways())?.join() === "via 172.31.1.8");
    for (const name of ["master", "node"] as const)
      await until(`${name} to take it back`, async () => cluster.log(name).includes(`no longer: ${said}`));
    // A cordoned node that alone has an endpoint withdraws what other nodes can serve.
    cluster.apply({ ...node("master", undefined, "dual"), spec: { unschedulable: true } });
    await until("the network's other way", async () => /10\.96\.0\.0\/12 via 172\.31\.1\.207 /.test(await learned()));
    expect((await ways())?.join()).toBe("via 172.31.1.8");
    cluster.apply(node("master", undefined, "dual"));
    cluster.apply(endpoints("local", [web, wide]));
    await until("both nodes", async () => (await ways())?.length === 2);
    cluster.remove(local, endpoints("local", []));
    await until("no node", async () => (await ways()) === null);
    cluster.apply(configuration({ serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] }));
  });

  test("what is sent to an address of that network that no Service has does not circle between router and node", async () => {
    const dropped = async () => {
      const all = await Promise.all([cluster.outcomes("master"), cluster.outcomes("node")]);
      return all.reduce((sum, { drop_unknown_endpoint: count = 0 }) => sum + count, 0);
    };
    const before = await dropped();
    const send = `require("node:dgram").createSocket("udp4").send("x", 9, "10.96.77.77", () => process.exit())`;
    await cluster.run("client1", [process.execPath, "-e", send]);
    await until("the node to drop it", async () => (await dropped()) > before);
  });

  test.skipIf(noPasswords)("sessions with a password, a filter and BFD, over both families", async () => {
    const speaks = (password: string) => `log stderr { fatal }; router id ${clients.client2};
protocol device {} protocol bfd { interface "*" { interval 1 s; multiplier 10; }; }
protocol static told { ipv6; route 2001:db8:66::/48 blackhole; route 2001:db8:55::/48 blackhole; }
template bgp node { local as 64998; direct; connect delay time 1; connect retry time 2; error wait time 1, 2; bfd on; password "${password}"; }
protocol bgp four from node { neighbor ${nodes.node} as 64512; ipv4 { import all; export none; }; }
protocol bgp six from node { neighbor ${routedNodeIpv6} as 64512; ipv6 { import all; export where source = RTS_STATIC; }; }`;
    const birdc = (...words: string[]) => cluster.run("client2", ["birdc", "-s", "/tmp/bird.ctl", ...words]);
    const write = (password: string) => cluster.run("client2", ["tee", "/tmp/bird.conf"], speaks(password));
    const count = async (pattern: RegExp, ...words: string[]) => (await birdc(...words)).match(pattern)?.length ?? 0;
    const established = () => count(/Established/g, "show", "protocols").catch(() => -1); // until it listens
    const secret = (tor: string): KubernetesObject => ({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "passwords", namespace: "ebpf-dataplane" } },
      stringData: { tor },
    });
    const peers = [clients.client2, "fd00:172:31:2::162"].map((peerIP, index) =>
      bgp("BGPPeer", `locked-${index}`, {
        ...{ node: "node", peerIP, asNumber: 64998, filters: ["safe"] },
        password: { secretKeyRef: { name: "passwords", key: "tor" } },
        failureDetectionMode: "BFDIfDirectlyConnected",
      }),
    );
    const rule = { action: "Reject", cidr: "2001:db8:66::/48", matchOperator: "In" };
    cluster.apply(bgp("BGPFilter", "safe", { importV6: [rule] }), ...peers);
    await until("the missing Secret to be told", async () =>
      cluster.log("node").includes("there is no Secret passwords"),
    );
    await write("pw-one");
    cluster.spawn("client2", ["bird", "-f", "-c", "/tmp/bird.conf", "-s", "/tmp/bird.ctl"]);
    cluster.apply(secret("pw-one"));
    await until("both sessions", async () => (await established()) === 2);
    await until("BFD", async () => (await count(/\bUp\b/g, "show", "bfd", "sessions")) === 2);
    await until("the node's blocks", async () => {
      const told = await birdc("show", "route");
      return told.includes("10.244.1.0/26") && told.includes("fd00:10:244:1::/122");
    });
    const learnedIpv6 = () => cluster.run("node", ["ip", "-6", "route", "show", "proto", "bird"]);
    await until("the route", async () => (await learnedIpv6()).includes("2001:db8:55::/48 via fd00:172:31:2::162"));
    expect(await learnedIpv6()).not.toContain("2001:db8:66::");

    cluster.apply(secret("pw-two"));
    await until("both sessions to end", async () => (await established()) === 0);
    await write("pw-two");
    await birdc("configure");
    await until("both sessions with the next password", async () => (await established()) === 2);
    expect(await cluster.run("node", ["stat", "-c", "%a", "/run/ebpf-dataplane/bird.conf"])).toBe("600\n");
    expect(cluster.log("node")).not.toMatch(/pw-(one|two)/);
    cluster.remove(...peers);
    await until("no session", async () => (await established()) === 0);
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
    const own = ["198.18.7.0/25", "via", clients.client2, "metric", "100"];
    await cluster.run("node", ["ip", "route", "add", ...own]);
    const followed = async () => (await routes("node")).split("\n").filter((line) => line.startsWith("198.")).length;
    await until("the prefixes", async () => (await followed()) === 1000);
    expect(await cluster.run("node", ["ip", "route", "get", "198.18.7.1"])).toContain(`via ${clients.client2}`);
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
    await cluster.run("client1", ["birdc", "-s", "/tmp/bird.ctl", "down"]);
  });

  test("a router that tells more routes than are followed keeps its session, and pods of other nodes their connections; it is told, and later routes are followed", async () => {
    const flood = Array.from({ length: 60_000 }, (_, n) => `20.${n >> 8}.${n & 255}.0/24`);
    const speaker = `log stderr { fatal }; router id 172.31.1.55; protocol device {}
protocol static many { disabled; ipv4; ${flood.map((prefix) => `route ${prefix} blackhole;`).join("\n")} }
protocol static later { disabled; ipv4; route 198.51.100.0/24 blackhole; }
protocol bgp { local as 64999; neighbor 172.31.1.1 as 64500; ipv4 { import none; export where source = RTS_STATIC; }; }`;
    const ask = (...words: string[]) => cluster.run("client1", ["birdc", "-s", "/tmp/flood.ctl", ...words]);
    await cluster.run("client1", ["tee", "/tmp/flood.conf"], speaker);
    cluster.spawn("client1", ["bird", "-f", "-c", "/tmp/flood.conf", "-s", "/tmp/flood.ctl"]);
    await until("the speaker's session", async () =>
      (await ask("show", "protocols").catch(() => "")).includes("Established"),
    );
    const held = hold(cluster, `${web.address}:82`, 40_002, wide);
    await until("the connection", async () => held.echoed > 0);
    const shown = () => cluster.run("node", ["birdc", "-s", "/run/ebpf-dataplane/bird.ctl", "show", "protocols"]);
    const established = (await shown()).match(/Established/g)?.length;

    await ask("enable", "many");
    await until("the node to follow no more", async () =>
      cluster.log("node").includes("follows no more than 50000 routes"),
    );
    await ask("enable", "later");
    await until("more of the connection", more(held));
    expect((await shown()).match(/Established/g)?.length).toBe(established);
    const learnedHere = await routes("node");
    expect(learnedHere.split("\n").filter((line) => line.startsWith("20.")).length).toBeGreaterThan(40_000);
    expect(learnedHere).not.toContain("198.51.100.0/24");

    await ask("disable", "many");
    await until("the later route", async () => (await routes("node")).includes("198.51.100.0/24"));
    await until("more of the connection", more(held));
    expect(held.lines).toEqual(["connected"]);
    await ask("down");
  });

  test("an established connection across the router goes on while its pool is wrapped in VXLAN, in IPIP, and no longer", async () => {
    const held = hold(cluster, `${web.address}:82`, 40_003, wide);
    await until("the connection", async () => held.echoed > 0);
    const PLAIN = "tcp port 82";
    const sees = (way: "src" | "dst", filter: string) => {
      const host = filter === PLAIN ? wide.address : nodes.master;
      const capture = ["tcpdump", "-nni", "eth0", "-c", "3", `${way} host ${host} and ${filter}`];
      return cluster.run("router", ["timeout", "150", ...capture]);
    };
    for (const [vxlanMode, ipipMode, filter] of [
      ["CrossSubnet", "Never", "udp port 4789"],
      ["Never", "CrossSubnet", "ip proto 4"],
      ["Never", "Never", PLAIN],
      ["Always", "Never", "udp port 4789"],
      ["Never", "Never", PLAIN],
    ] as const) {
      cluster.apply(pool(vxlanMode, ipipMode));
      await cluster.carriedOut();
      await Promise.all([sees("src", filter), sees("dst", filter)]);
      await until("more of the connection", more(held));
    }
    expect(held.lines).toEqual(["connected"]);
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

  test("a route reflector tells the router of another node's block, which has no session with it any more", async () => {
    const { metadata, ...master } = node("master", undefined, "dual");
    const annotations = { "projectcalico.org/RouteReflectorClusterID": "244.0.0.1" };
    cluster.apply(
      { ...master, metadata: { ...metadata, labels: { reflector: "yes" }, annotations } },
      bgp("BGPPeer", "reflectors", { nodeSelector: "!has(reflector)", peerSelector: "has(reflector)" }),
      bgp("BGPPeer", "master", { ...(peer("master", "172.31.1.1").spec as object), nextHopMode: "Keep" }),
    );
    const told = () => cluster.run("router", ["birdc", "show", "route", "10.244.1.0/26"]);
    await until("the reflector's word", async () => (await told()).includes("from 172.31.1.8]"));
    cluster.remove(peer("node", "172.31.1.129"), peer("node", "fd00:172:31:2::1", "node-ipv6"));
    await until("the router to have no other", async () => (await told()).match(/\[subnet/g)?.length === 1);
    expect(await told()).toMatch(/from 172\.31\.1\.8\].*\n\s*via 172\.31\.1\.207 /);
    expect(await cluster.see("client1", `${web.address}:80`)).toBe(`allowed default/web saw ${clients.client1}`);
  });
});
