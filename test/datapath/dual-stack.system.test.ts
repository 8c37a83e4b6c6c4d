import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, program, until } from "./cluster/bare-cluster.ts";
import {
  clients,
  clientsIpv6,
  endpoints,
  endpointsIpv6,
  type NodeName,
  nodes,
  nodesIpv6,
  onlyAt,
  onlyFrom,
  poolIpv6,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { compiled } from "./traffic/compiled.ts";
import { hold } from "./traffic/holding.ts";
import { allGoOn, holdFlows } from "./traffic/moving.ts";
import { serveEchoes, serveProbes } from "./traffic/serving.ts";
import type { Asked, Observed } from "./traffic/socket-client.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");

// Pods, nodes and services with addresses of both families: each family is served by itself, and sees the addresses of its own.
describe.each([
  { vxlanMode: "Never", mode: "DSR" },
  { vxlanMode: "Always", mode: "Tunnel" },
] as const)("dual stack, VXLAN $vxlanMode, return mode $mode", ({ vxlanMode, mode }) => {
  let cluster: BareCluster;
  let web: Placed;
  let near: Placed;
  let far: Placed;

  const ipv6 = (pod: Placed) => pod.addressIpv6 ?? "";
  const shown = (name: NodeName, ...argv: string[]) => cluster.run(name, argv);
  const inPod = (pod: Placed, ...argv: string[]) => shown(pod.node, "nsenter", `--net=/run/netns/${pod.name}`, ...argv);

  beforeAll(async () => {
    cluster = await BareCluster.start({ vxlanMode, stack: "dual" });
    [web, near, far] = await Promise.all([
      cluster.addPod("web", "node", { app: "web" }),
      cluster.addPod("near", "node", { app: "near" }),
      cluster.addPod("far", "master", { app: "far" }),
    ]);
    const dns = { nodePort: 30053, protocol: "UDP" } as const;
    cluster.apply(
      returnMode(mode),
      service("web", { clusterIP: "10.96.0.10", clusterIPv6: "fd00:10:96::10", nodePort: 30604 }),
      endpoints("web", [web]),
      endpointsIpv6("web", [web]),
      service("dns", { clusterIP: "10.96.0.11", clusterIPv6: "fd00:10:96::11", ...dns }),
      endpoints("dns", [web], "UDP"),
      endpointsIpv6("dns", [web], "UDP"),
      service("empty", { clusterIP: "10.96.0.13", clusterIPv6: "fd00:10:96::13", nodePort: 30999 }),
    );
    const entry = `[${nodesIpv6.master}]:30604`;
    await until("the service", async () => (await cluster.see("client1", entry)).startsWith("allowed"));
    await cluster.carriedOut();
  });
  afterAll(() => cluster?.close());

  test("a pod has an address of each family, from the blocks of its node", async () => {
    for (const pod of [web, near]) expect(pod.address).toMatch(/^10\.244\.1\.\d+$/);
    for (const pod of [web, near]) expect(pod.addressIpv6).toMatch(/^fd00:10:244:1::[1-3]$/);
    expect(far).toMatchObject({ address: "10.244.0.0", addressIpv6: "fd00:10:244::1" });
    expect(await inPod(web, "ip", "-6", "route")).toContain("default via fe80::1 dev eth0");
  });

  test("pods see each other's own addresses, on one node and across nodes, TCP and UDP, directly and by the service", async () => {
    for (const pod of [near, far]) {
      const from = `default/${pod.name}` as const;
      const seen = `allowed default/web saw ${ipv6(pod)}`;
      expect(await cluster.see(from, `[${ipv6(web)}]:80`), from).toBe(seen);
      expect(await cluster.see(from, `[${ipv6(web)}]:80`, { protocol: "udp" }), from).toBe(seen);
      expect(await cluster.see(from, "[fd00:10:96::10]:80"), from).toBe(seen);
      expect(await cluster.see(from, "[fd00:10:96::11]:80", { protocol: "udp" }), from).toBe(seen);
      expect(await cluster.see(from, "10.96.0.10:80"), from).toBe(`allowed default/web saw ${pod.address}`);
    }
  });

  test.each(Object.keys(nodes) as NodeName[])(
    "clients reach node ports of %s in both families, and are seen",
    async (entry) => {
      for (const client of ["client1", "client2"] as const) {
        const seen = `allowed default/web saw ${clientsIpv6[client]}`;
        expect(await cluster.see(client, `[${nodesIpv6[entry]}]:30604`)).toBe(seen);
        expect(await cluster.see(client, `[${nodesIpv6[entry]}]:30053`, { protocol: "udp" })).toBe(seen);
        expect(await cluster.see(client, `${nodes[entry]}:30604`)).toBe(`allowed default/web saw ${clients[client]}`);
      }
      expect(await cluster.see("client1", `[${nodesIpv6[entry]}]:30999`)).toBe("rejected");
    },
  );

  test("a trace of an IPv6 connection has the pod's IPv6 address", async () => {
    const trace = ["inspect", "trace", "default/near", "--json"];
    const run = (to: string) => shown("node", process.execPath, program, ...trace.slice(0, 3), to, ...trace.slice(3));
    const { attempt, steps } = JSON.parse(await run(`[${ipv6(web)}]:80`)) as { attempt: object; steps: object[] };
    expect(attempt).toMatchObject({ verdict: "allowed", source: ipv6(near) });
    expect(JSON.stringify(steps)).toContain(ipv6(near));
    expect(steps.length).toBeGreaterThan(0);
    await expect(run("web:80")).rejects.toThrow('"web:80" is not a valid destination');
  });

  test("nodes reach pods, their own and the other's", async () => {
    for (const name of ["node", "master"] as const)
      expect(await cluster.see(name, `[${ipv6(web)}]:80`), name).toBe(`allowed default/web saw ${nodesIpv6[name]}`);
  });

  test("a socket of IPv6 is given a backend when it connects or sends, and sees the address that it asked for", async () => {
    const ask = async (name: NodeName, pod: Placed | undefined, asked: Omit<Asked, "family">) => {
      const argv = [process.execPath, client, JSON.stringify({ family: 6, silence: 60_000, ...asked })];
      const output = await (pod ? inPod(pod, ...argv) : shown(name, ...argv));
      return output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Observed);
    };
    const to = ["[fd00:10:96::10]:80", `[${nodesIpv6.master}]:30604`];
    const seen = to.flatMap((one) => {
      const shownAs = one.replace(/[[\]]/g, "");
      return [
        { event: "peer", address: shownAs },
        { event: "answer", server: "default/web", from: shownAs },
      ];
    });
    for (const pod of [near, far, web, undefined])
      expect(await ask("master", pod, { how: "tcp", to }), pod?.name).toMatchObject(seen);
    for (const how of ["connected", "unconnected"] as const)
      for (const pod of [near, far, undefined]) {
        const observed = await ask("master", pod, { how, to: ["[fd00:10:96::11]:80"], count: 3 });
        const answers = observed.filter(({ event }) => event === "answer");
        expect(answers, `${how}, ${pod?.name}`).toHaveLength(3);
        for (const answer of answers)
          expect(answer).toMatchObject({ server: "default/web", from: "fd00:10:96::11:80" });
      }
  });

  test("SCTP, in both families: clients and pods are seen by a pod with another port; refused at once without backends", async () => {
    const association = await compiled("association");
    const serving = cluster.spawn(web.node, ["nsenter", `--net=/run/netns/${web.name}`, association, "serve", "3868"]);
    const atPod = { ports: [{ name: "web", protocol: "SCTP", port: 3868 }] };
    const exposed = { protocol: "SCTP", nodePort: 30604 } as const; // the number of web's, which is TCP's
    cluster.apply(
      service("signal", { clusterIP: "10.96.0.14", clusterIPv6: "fd00:10:96::14", ...exposed }),
      { ...endpoints("signal", [web], "SCTP"), ...atPod },
      { ...endpointsIpv6("signal", [web], "SCTP"), ...atPod },
      service("silent", { clusterIP: "10.96.0.15", clusterIPv6: "fd00:10:96::15", protocol: "SCTP", nodePort: 30999 }),
    );
    let own = 5000;
    const ask = async (from: "client1" | Placed, to: string, port: number, bytes = 1200) => {
      const argv = [association, "ask", to, `${port}`, `${++own}`, `${bytes}`];
      const said = (await (from === "client1" ? cluster.run(from, argv) : inPod(from, ...argv))).trim();
      return said.replace(` ${own}, ${bytes} bytes`, "");
    };
    await cluster.carriedOut();
    await until("the server", async () => (await ask("client1", nodesIpv6.master, 30604)).startsWith("allowed"));
    for (const name of ["master", "node"] as const) {
      for (const bytes of [1, 1200]) {
        expect(await ask("client1", nodes[name], 30604, bytes), name).toBe(`allowed saw ${clients.client1}`);
        expect(await ask("client1", nodesIpv6[name], 30604, bytes), name).toBe(`allowed saw ${clientsIpv6.client1}`);
      }
      expect(await ask("client1", nodes[name], 30999)).toBe("rejected: Protocol not available");
      expect(await ask("client1", nodesIpv6[name], 30999)).toMatch(/^rejected/);
    }
    for (const pod of [near, far]) {
      expect(await ask(pod, "10.96.0.14", 80), pod.name).toBe(`allowed saw ${pod.address}`);
      expect(await ask(pod, "fd00:10:96::14", 80), pod.name).toBe(`allowed saw ${ipv6(pod)}`);
      expect(await ask(pod, web.address, 3868), pod.name).toBe(`allowed saw ${pod.address}`);
      expect(await ask(pod, nodesIpv6.master, 30604), pod.name).toBe(`allowed saw ${ipv6(pod)}`);
      expect(await ask(pod, "10.96.0.15", 80), pod.name).toBe("rejected: Protocol not available");
      expect(await ask(pod, "fd00:10:96::15", 80), pod.name).toMatch(/^rejected/);
    }
    const policy = onlyAt("web", { protocol: "SCTP", port: 3868 }, [`${ipv6(far)}/128`]);
    cluster.apply(policy);
    await until("the policy", async () => (await ask(near, "10.96.0.14", 80)) === "dropped");
    expect(await ask(far, "fd00:10:96::14", 80)).toBe(`allowed saw ${ipv6(far)}`);
    cluster.remove(policy);
    await cluster.carriedOut();
    serving.kill();
  });

  test("SCTP of nodes' own processes, in both families: pods here and there, a node's own network, cluster addresses and ports of nodes", async () => {
    const association = await compiled("association");
    const serve = (port: string) => [association, "serve", port];
    const host = { address: nodes.master, addressIpv6: nodesIpv6.master, node: "master" } as Placed;
    const atPod = { ports: [{ name: "web", protocol: "SCTP", port: 3868 }] };
    const atHost = { ports: [{ name: "web", protocol: "SCTP", port: 3869 }] };
    const objects = [
      service("own", { clusterIP: "10.96.0.16", clusterIPv6: "fd00:10:96::16", nodePort: 30616, protocol: "SCTP" }),
      { ...endpoints("own", [web], "SCTP"), ...atPod },
      { ...endpointsIpv6("own", [web], "SCTP"), ...atPod },
      service("hosts", { clusterIP: "10.96.0.17", clusterIPv6: "fd00:10:96::17", nodePort: 30617, protocol: "SCTP" }),
      { ...endpoints("hosts", [host], "SCTP"), ...atHost },
      { ...endpointsIpv6("hosts", [host], "SCTP"), ...atHost },
    ];
    let own = 7000;
    const ask = async (from: NodeName, to: string, port: number, bytes = 1200) => {
      const said = await shown(from, association, "ask", to, `${port}`, `${++own}`, `${bytes}`);
      return said.trim().replace(` ${own}, ${bytes} bytes`, "");
    };
    const gate = await cluster.addPod("gate", "node", { app: "gate" }, [
      { containerPort: 3868, hostPort: 8390, protocol: "SCTP" },
    ]);
    const serving = [
      cluster.spawn("node", ["nsenter", "--net=/run/netns/web", ...serve("3868")]),
      cluster.spawn("node", ["nsenter", "--net=/run/netns/gate", ...serve("3868")]),
      cluster.spawn("master", serve("3869")),
    ];
    cluster.apply(...objects);
    await cluster.carriedOut();
    const families = [
      ["10.96.0.16", "10.96.0.17", nodes],
      ["fd00:10:96::16", "fd00:10:96::17", nodesIpv6],
    ] as const;
    for (const name of ["node", "master"] as const) {
      const isThere = async () => (await ask(name, nodes[name], 30616)) === `allowed saw ${nodes[name]}`;
      await until(`the program of ${name}'s loopback`, isThere);
      for (const [of, ofHosts, at] of families) {
        const seen = `allowed saw ${at[name]}`;
        for (const bytes of [1, 1200]) expect(await ask(name, of, 80, bytes), `${name} to ${of}`).toBe(seen);
        expect(await ask(name, at[name], 30616), name).toBe(seen);
        expect(await ask(name, at[name === "node" ? "master" : "node"], 30616), name).toBe(seen);
        // A backend in the same network sees the Service in its client's place.
        expect(await ask(name, ofHosts, 80), name).toBe(name === "node" ? seen : `allowed saw ${ofHosts}`);
        expect(await ask(name, at[name], 30617), name).toBe(seen);
        expect(await ask(name, at.node, 8390), name).toBe(seen);
        expect(await ask(name, at.master, 3869), name).toBe(seen);
      }
    }
    // The same where no route of the node leads to Services.
    const defaults = await Promise.all(["-4", "-6"].map((of) => shown("node", "ip", of, "route", "show", "default")));
    for (const of of ["-4", "-6"]) await shown("node", "ip", of, "route", "flush", "exact", "default");
    for (const unserved of ["10.96.0.99", "fd00:10:96::99"])
      expect(await shown("node", "sh", "-c", `ip route get ${unserved} 2>&1 || true`)).toMatch(/unreachable/);
    for (const [of, ofHosts, at] of families)
      for (const to of [of, ofHosts]) expect(await ask("node", to, 80), to).toBe(`allowed saw ${at.node}`);
    for (const [place, lines] of defaults.entries())
      for (const line of lines.trim().split("\n").filter(Boolean))
        await shown(
          "node",
          "ip",
          place === 0 ? "-4" : "-6",
          "route",
          "add",
          ...line
            .replace(/ pref \w+/, "")
            .trim()
            .split(/\s+/),
        );
    const policy = onlyAt("web", { protocol: "SCTP", port: 3868 }, [`${far.address}/32`]);
    cluster.apply(policy);
    await until("the policy", async () => (await ask("master", "10.96.0.16", 80)) === "dropped");
    expect(await ask("node", "10.96.0.16", 80)).toBe(`allowed saw ${nodes.node}`);
    cluster.remove(policy, ...objects);
    await cluster.removePod(gate.name);
    for (const one of serving) one.kill();
    await cluster.carriedOut();
    await until("their routes to be gone", async () => {
      const routes = await shown("node", "ip", "route", "show", "table", "all", "proto", "235");
      return !routes.includes("10.96.0.16 ") && !routes.includes("10.96.0.17 ");
    });
  });

  test("a traceroute shows the nodes: the one that the client entered by, and the pod's", async () => {
    const hop = await compiled("hop");
    // A stack sends few ICMP errors a second to one receiver (icmp_ratelimit), so the question is repeated, as traceroute does.
    const ask = async (from: "client1" | Placed, to: string, port: number, hops: number) => {
      const argv = [hop, to, `${port}`, `${hops}`, "8"];
      let answer = "silence";
      for (let probe = 0; probe < 3 && answer === "silence"; probe++)
        answer = (await (from === "client1" ? cluster.run(from, argv) : inPod(from, ...argv))).trim();
      return answer;
    };
    for (const [at, clusterIP, pod] of [
      [nodes, "10.96.0.11", web.address],
      [nodesIpv6, "fd00:10:96::11", ipv6(web)],
    ] as const) {
      expect(await ask("client1", at.master, 30053, 1)).toBe(`expired at ${at.master}`);
      expect(await ask("client1", at.master, 30053, 2)).toBe(`expired at ${at.node}`);
      expect(await ask("client1", at.node, 30053, 1)).toBe(`expired at ${at.node}`);
      expect(await ask(far, pod, 80, 1)).toBe(`expired at ${at.master}`);
      expect(await ask(far, pod, 80, 2)).toBe(`expired at ${at.node}`);
      expect(await ask(near, pod, 80, 1)).toBe(`expired at ${at.node}`);
      expect(await ask(far, clusterIP, 80, 1)).toBe(`expired at ${at.master}`);
      for (const [from, to, port, hops] of [
        ["client1", at.master, 30053, 3],
        [far, pod, 80, 3],
        [near, pod, 80, 2],
      ] as const)
        expect(await ask(from, to, port, hops)).not.toMatch(/expired/);
    }
  });

  test("a client learns how much fits the way to the pod's node, from the address that it used", async () => {
    const hop = await compiled("hop");
    const ask = async (to: string, bytes: number) =>
      (await cluster.run("client1", [hop, to, "30053", "64", `${bytes}`])).trim();
    for (const [to, headers] of [
      [nodes.master, 28],
      [nodesIpv6.master, 48],
    ] as const) {
      expect(await ask(to, 1500 - headers)).toBe(`at most 1450 bytes, says ${to}`);
      expect(await ask(to, 1450 - headers)).not.toMatch(/at most/);
      expect(await cluster.run("client1", ["ip", "route", "get", to])).toContain("mtu 1450");
    }
  });

  test.each([8_000, 60_000])("datagrams of %i bytes are echoed whole, in fragments", async (size) => {
    const ask = async (from: From, to: string) => (await cluster.probe(from, { to, protocol: "udp", size }))[0];
    const whole = { verdict: "allowed", echoed: size };
    for (const [at, clusterIP] of [
      [nodes.master, "10.96.0.11"],
      [`[${nodesIpv6.master}]`, "[fd00:10:96::11]"],
    ] as const) {
      expect(await ask("client1", `${at}:30053`), at).toMatchObject(whole);
      for (const pod of ["default/near", "default/far"] as const)
        expect(await ask(pod, `${clusterIP}:80`), `${pod} to ${clusterIP}`).toMatchObject(whole);
    }
  });

  test("only sockets of a node reach node ports on ::1, and no address that stands for a key reaches one", async () => {
    expect(await cluster.see("master", "[::1]:30604")).toMatch(/^allowed default\/web/);
    expect(await cluster.see("default/near", "[::1]:30604")).toBe("rejected");
    for (const key of ["::6", "::1:6"]) expect(await cluster.see("master", `[${key}]:30604`)).not.toMatch(/^allowed/);
  });

  test("a host port is at the node's addresses of both families, and the pod sees the client's own", async () => {
    const pod = await cluster.addPod("hosted", "node", { app: "hosted" }, [{ containerPort: 80, hostPort: 8088 }]);
    const see = (from: "client1" | "default/far", node: string) => cluster.see(from, `${node}:8088`);
    const at = `[${nodesIpv6.node}]`;
    await cluster.carriedOut();
    expect(await see("client1", at)).toBe(`allowed default/hosted saw ${clientsIpv6.client1}`);
    expect(await see("default/far", at)).toBe(`allowed default/hosted saw ${ipv6(far)}`);
    expect(await see("client1", nodes.node)).toBe(`allowed default/hosted saw ${clients.client1}`);
    expect(await see("client1", `[${nodesIpv6.master}]`)).toBe("rejected");
    await cluster.removePod(pod.name);
    await until("its end", async () => (await see("client1", at)) === "rejected");
  });

  test("a policy with IPv6 blocks is judged on the pod's IPv6 address, and does not concern IPv4", async () => {
    const policy = onlyFrom("web", `${ipv6(far)}/128`, `${near.address}/32`);
    cluster.apply(policy);
    try {
      await cluster.carriedOut();
      expect(await cluster.see("default/near", `[${ipv6(web)}]:80`)).toBe("dropped");
      expect(await cluster.see("default/near", "[fd00:10:96::10]:80")).toBe("dropped");
      expect(await cluster.see("client1", `[${nodesIpv6.master}]:30604`)).toBe("dropped");
      expect(await cluster.see("default/far", "[fd00:10:96::10]:80")).toBe(`allowed default/web saw ${ipv6(far)}`);
      expect(await cluster.see("default/near", `${web.address}:80`)).toBe(`allowed default/web saw ${near.address}`);
      expect(await cluster.see("default/far", `${web.address}:80`)).toBe("dropped");
      expect(await cluster.see("node", `[${ipv6(web)}]:80`)).toBe(`allowed default/web saw ${nodesIpv6.node}`);
    } finally {
      cluster.remove(policy);
    }
    await cluster.carriedOut();
  });

  test("an established connection of IPv6 goes on while its pool is wrapped or no longer is", async () => {
    await serveEchoes(cluster, web);
    const held = hold(cluster, `[${ipv6(web)}]:82`, 45_400, far);
    await until("the connection", async () => held.echoed > 0);
    const wrapped = async () => (await cluster.outcomes("master")).to_overlay ?? 0;
    for (const next of [vxlanMode === "Never" ? "Always" : "Never", "CrossSubnet", vxlanMode] as const) {
      cluster.apply(poolIpv6(next));
      await cluster.carriedOut();
      await until(`packets of the connection, VXLAN ${next}`, async () => {
        const before = [await wrapped(), held.echoed] as const;
        await until("more of it to come back", async () => held.echoed > before[1] + 5);
        return (await wrapped()) > before[0] === (next === "Always");
      });
    }
    expect(held.lines).toEqual(["connected"]);
  });

  test("what leaves the cluster from a pool with natOutgoing has its node's IPv6 address; to nodes it has the pod's", async () => {
    for (const where of ["client2", "master"] as const) await serveProbes(cluster, where, "default/outside", "tcp:80");
    const { spec, ...poolHead } = poolIpv6(vxlanMode);
    cluster.apply({ ...poolHead, spec: { ...(spec as object), natOutgoing: true } });
    try {
      const seen = async (to: string) => cluster.see("default/near", `[${to}]:80`);
      const translated = `allowed default/outside saw ${nodesIpv6.node}`;
      await until("the translation", async () => (await seen(clientsIpv6.client2)) === translated);
      const association = await compiled("association");
      const serving = cluster.spawn("client2", [association, "serve", "3868"]);
      const over = async () => inPod(near, association, "ask", clientsIpv6.client2, "3868", "5900", "1200");
      await until("SCTP, translated, with another port", async () =>
        new RegExp(`^allowed saw ${nodesIpv6.node} ([5-9]|[12]\\d)\\d{3}, 1200 bytes`).test(await over()),
      );
      serving.kill();
      expect(await seen(nodesIpv6.master)).toBe(`allowed default/outside saw ${ipv6(near)}`);
      expect(await seen(ipv6(web))).toBe(`allowed default/web saw ${ipv6(near)}`);
      expect(await shown("node", "nft", "list", "tables")).toBe("");
    } finally {
      cluster.apply(poolIpv6(vxlanMode));
      await cluster.carriedOut();
    }
  });

  test("a pod may use its own addresses only", async () => {
    const before = (await cluster.outcomes("node")).drop_spoofed_source ?? 0;
    await inPod(near, "ip", "address", "add", "fd00:9::9/128", "dev", "eth0", "nodad");
    const lie = `const s = require("node:dgram").createSocket("udp6"); s.bind(0, "fd00:9::9", () => s.send("x", 80, process.argv[1], () => s.close()))`;
    await inPod(near, process.execPath, "-e", lie, ipv6(web));
    const counted = async () => ((await cluster.outcomes("node")).drop_spoofed_source ?? 0) > before;
    await until("the lie to be counted", counted);
  });

  test("a pod that is deleted leaves neither address on its node; the pods of a killed agent keep theirs", async () => {
    const brief = await cluster.addPod("brief", "node", { app: "brief" });
    expect(await shown("node", "ip", "-6", "route")).toContain(`${ipv6(brief)} dev`);
    await cluster.removePod("brief");
    await until("its routes to be gone", async () => {
      const routes = (await shown("node", "ip", "-6", "route")) + (await shown("node", "ip", "route"));
      return !routes.includes(`${ipv6(brief)} `) && !routes.includes(`${brief.address} `);
    });
    expect(await cluster.see("default/near", `[${ipv6(brief)}]:80`)).not.toMatch(/^allowed/);
    await cluster.killAgent("node");
    expect(await cluster.see("default/far", "[fd00:10:96::10]:80")).toBe(`allowed default/web saw ${ipv6(far)}`);
    await cluster.startAgent("node");
    expect(await cluster.see("default/far", "[fd00:10:96::10]:80")).toBe(`allowed default/web saw ${ipv6(far)}`);
  });

  test("a backend outside the cluster is reached through every node, and sees that node as its client", async () => {
    await serveProbes(cluster, "client2", "default/outer", "tcp:8081", "udp:8081");
    for (const [id, protocol, port] of [
      ["outer", "TCP", 91],
      ["outer-udp", "UDP", 92],
    ] as const) {
      const ports = [{ name: "web", protocol, port: 8081 }];
      const spec = { ports: [{ name: "web", protocol, port: 80, targetPort: 8081, nodePort: 30_000 + port }] };
      cluster.apply(
        service(id, {
          clusterIP: `10.96.0.${port}`,
          clusterIPv6: `fd00:10:96::${port}`,
          nodePort: 30_000 + port,
          protocol,
          spec,
        }),
      );
      for (const [slice, address] of [
        [endpoints(id, []), clients.client2],
        [endpointsIpv6(id, []), clientsIpv6.client2],
      ] as const)
        cluster.apply({ ...slice, ports, endpoints: [{ addresses: [address], conditions: { ready: true } }] });
    }
    await cluster.carriedOut();
    const before = await cluster.outcomes("master");
    for (const name of Object.keys(nodes) as NodeName[])
      for (const [at, own] of [
        [nodes[name], nodes[name]],
        [`[${nodesIpv6[name]}]`, nodesIpv6[name]],
      ] as const) {
        const see = (port: number, protocol: "tcp" | "udp") => cluster.see("client1", `${at}:${port}`, { protocol });
        const seen = `allowed default/outer saw ${own}`;
        await until(`${at}`, async () => (await see(30_091, "tcp")) === seen && (await see(30_092, "udp")) === seen);
        const results = await cluster.probe("client1", { to: `${at}:30091`, count: 20, timeoutMs: 10_000 });
        expect(results.filter(({ verdict }) => verdict !== "allowed")).toEqual([]);
      }
    const after = await cluster.outcomes("master");
    for (const outcome of ["forward_external", "return_external"])
      expect(after[outcome] ?? 0).toBeGreaterThan(before[outcome] ?? 0);
  });

  // The last test: it takes a node away.
  test("flows of a Maglev service go on when the route moves to the other node, and when the node that they entered by is lost", async () => {
    const vips = { IPv4: "198.51.100.7", IPv6: "2001:db8:7::7" };
    const route = (name: NodeName) =>
      Promise.all([
        cluster.run("client1", ["ip", "route", "replace", vips.IPv4, "via", nodes[name]]),
        cluster.run("client1", ["ip", "-6", "route", "replace", vips.IPv6, "via", nodesIpv6[name]]),
      ]);
    const apply = (backends: Placed[]) => {
      for (const [id, protocol, port] of [
        ["steady", "TCP", 82],
        ["steady-udp", "UDP", 80],
      ] as const) {
        const ports = [{ name: "web", protocol, port }];
        const object = service(id, {
          clusterIP: `10.96.0.${port}`,
          clusterIPv6: `fd00:10:96::${port}`,
          nodePort: 30_000 + port,
          protocol,
          spec: { ports: [{ ...ports[0], nodePort: 30_000 + port }], externalIPs: Object.values(vips) },
        });
        const annotations = { "ebpf-dataplane.io/backend-selection": "Maglev" };
        cluster.apply({ ...object, metadata: { ...object.metadata, annotations } });
        cluster.apply({ ...endpoints(id, backends), ports }, { ...endpointsIpv6(id, backends), ports });
      }
    };
    for (const pod of [web, far]) await serveEchoes(cluster, pod);
    apply([web, far]);
    await cluster.carriedOut();
    await route("node");
    const isServed = (address: string) => cluster.see("client1", `${address}:80`, { protocol: "udp" });
    for (const address of [vips.IPv4, `[${vips.IPv6}]`])
      await until(
        address,
        async () => (await isServed(address)).startsWith("allowed"),
        () => cluster.log("node"),
      );

    // On whichever of the two nodes a flow's backend is, the other one finds it. So many flows that each backend surely has one.
    const held = [holdFlows(cluster, vips.IPv4, 24), holdFlows(cluster, vips.IPv6, 24)];
    const goOn = (what: string) =>
      Promise.all(
        held.map(async (flows) => {
          const before = flows();
          if (before)
            await until(
              what,
              async () => allGoOn(before, flows()),
              () => JSON.stringify([before, flows()]),
            );
        }),
      );
    await until("the flows", async () =>
      held.every((flows) => flows()?.tcp.every(Boolean) && flows()?.udp.every(Boolean)),
    );
    for (const flows of held) expect(new Set(flows()?.servers)).toEqual(new Set(["default/web", "default/far"]));
    await route("master");
    await goOn("the flows by the other node");
    await route("node");
    await goOn("the flows back again");
    for (const flows of held) expect(flows()?.ended).toEqual([]);

    // Flows whose backend remains.
    apply([web]);
    await cluster.carriedOut();
    for (const name of ["node", "master"] as const) {
      await route(name);
      const onlyWeb = async (address: string) =>
        (await cluster.probe("client1", { to: `${address}:80`, protocol: "udp", count: 8 })).every(
          ({ server }) => server === "default/web",
        );
      for (const address of [vips.IPv4, `[${vips.IPv6}]`]) await until(`${name} and web`, () => onlyWeb(address));
    }
    const lasting = [holdFlows(cluster, vips.IPv4, 4), holdFlows(cluster, vips.IPv6, 4)];
    held.splice(0, 2, ...lasting);
    await until("the lasting flows", async () =>
      lasting.every((flows) => flows()?.tcp.every(Boolean) && flows()?.udp.every(Boolean)),
    );
    await goOn("the lasting flows by master");
    await route("node");
    await cluster.run("master", ["ip", "link", "set", "eth0", "down"]);
    await goOn("the flows without master");
    for (const flows of lasting) expect(flows()?.ended).toEqual([]);
  });
});
