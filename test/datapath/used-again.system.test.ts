// What is used again while something of its earlier use is remembered: a client's port, a pod's address, a client's choice of a backend, a QUIC client
// whose port changes on its way.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, type From, until } from "./cluster/bare-cluster.ts";
import { endpoints, felix, type KubernetesObject, nodes, onlyFrom, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { HeldFlows } from "./traffic/held-flows.ts";
import { hold } from "./traffic/holding.ts";
import { holdFlows } from "./traffic/moving.ts";
import { serveEchoes, serveProbes } from "./traffic/serving.ts";
import type { Asked, Observed } from "./traffic/socket-client.ts";

const client = join(import.meta.dirname, "traffic", "socket-client.ts");
const entries = Object.values(nodes);

let cluster: BareCluster;
let near: Placed;
let far: Placed;
let witness: Placed;

beforeAll(async () => {
  cluster = await BareCluster.start();
  [near, far, witness] = await Promise.all([
    cluster.addPod("near", "master", { app: "web" }),
    cluster.addPod("far", "node", { app: "web" }),
    cluster.addPod("witness", "node", { app: "witness" }),
  ]);
  for (const pod of [near, far, witness]) await serveEchoes(cluster, pod);
});
afterAll(() => cluster?.close());

/** A Service at these node ports: TCP to the echo server, UDP to the probe server. */
function both(name: string, last: number, nodePort: number, backends: readonly Placed[]): KubernetesObject[] {
  const port = (protocol: string, number: number, at: number) => ({
    ...{ name: protocol.toLowerCase(), protocol, port: number, targetPort: number, nodePort: at },
  });
  const spec = { ports: [port("TCP", 82, nodePort), port("UDP", 80, nodePort + 1)] };
  return [
    service(name, { clusterIP: `10.96.0.${last}`, nodePort, spec }),
    {
      ...endpoints(name, backends),
      ports: [
        { name: "tcp", protocol: "TCP", port: 82 },
        { name: "udp", protocol: "UDP", port: 80 },
      ],
    },
  ];
}

// Resets each of its connections, from one port, and opens the next one.
const resetting = `
  const { connect } = require("node:net");
  const [port, count, ...hosts] = process.argv.slice(1);
  const one = (host, nodePort) => new Promise((resolve) => {
    const socket = connect({ host, port: +nodePort, localPort: +port });
    socket.on("connect", () => socket.write("hello"));
    socket.on("data", () => { socket.resetAndDestroy(); resolve("echo"); });
    socket.on("error", ({ code }) => resolve(code));
  });
  (async () => {
    for (let at = 0; at < +count; at++) console.log(await one(...hosts[at % hosts.length].split(":")));
  })();`;

describe.each([
  { mode: "DSR", port: 41_000 },
  { mode: "Tunnel", port: 41_100 },
] as const)("return mode $mode", ({ mode, port }) => {
  beforeAll(async () => {
    cluster.apply(returnMode(mode), ...both("again", 40, 30_140, [near, far]));
    await cluster.carriedOut();
  });

  test("a client that resets its connections opens the next ones from the same port, by either node", async () => {
    const doors = entries.map((node) => `${node}:30140`);
    const argv = [process.execPath, "-e", resetting, String(port), "40", ...doors];
    expect((await cluster.run("client1", argv)).trim().split("\n")).toEqual(new Array(40).fill("echo"));
  });

  test.each([
    ["master", port + 1],
    ["node", port + 2],
  ] as const)(
    "a client that has lost its connection without a word opens it again from the same port, by %s",
    async (entry, from) => {
      const to = `${nodes[entry]}:30140`;
      const lost = hold(cluster, to, from);
      await until("the connection", async () => lost.echoed > 0);
      // As after a crash: nothing tells the server, which holds the connection open.
      const mute = `table ip mute { chain out { type filter hook output priority filter; tcp sport ${from} drop; }; }`;
      await cluster.run("client1", ["nft", mute]);
      await cluster.run("client1", ["ss", "--kill", "--tcp", "sport", "=", `:${from}`]);
      await until("the client to know", async () => lost.lines.includes("closed"));
      await cluster.run("client1", ["nft", "delete", "table", "ip", "mute"]);
      const again = hold(cluster, to, from);
      await until(
        "the new connection",
        async () => again.echoed > 3,
        () => again.lines.join(),
      );
      expect(again.lines).toEqual(["connected"]);
    },
  );

  test("a pod that gets the address of another one gets its flows, where its own policy lets them", async () => {
    const first = await cluster.addPod(`first-${port}`, "node", { app: "first" });
    await serveEchoes(cluster, first);
    const [last, nodePort] = mode === "DSR" ? [41, 30_150] : [42, 30_160];
    cluster.apply(
      ...both(`replaced-${port}`, last, nodePort, [first]),
      ...both("witness", 43, 30_170, [witness]),
      onlyFrom(`third-${port}`, "192.0.2.1/32"),
    );
    await cluster.carriedOut();
    const flows = (name: string, tcp: number) =>
      new HeldFlows(name, holdFlows(cluster, nodes.master, 2, { tcp, udp: tcp + 1 }));
    const [held, witnesses] = [flows("the flows", nodePort), flows("the witness", 30_170)];
    await Promise.all([held.begin(), witnesses.begin()]);

    const replace = async (old: string, name: string) => {
      await cluster.removePod(old);
      const annotations = { "cni.projectcalico.org/ipAddrs": JSON.stringify([first.address]) };
      const wanted = { name, node: "node", labels: { app: name }, address: "", annotations } as const;
      const pod = await cluster.placePod(wanted, ["--tcp", "80,81", "--udp", "80"]);
      expect(pod.address).toBe(first.address);
      await serveEchoes(cluster, pod);
    };
    await replace(`first-${port}`, `second-${port}`);
    await until(
      "the second pod to answer",
      async () => held.now.servers.every((server) => server === `default/second-${port}`),
      () => JSON.stringify(held.now),
    );
    await until("resets", async () => held.now.ended.filter((what) => what === "tcp ECONNRESET").length === 2);
    expect(await cluster.see("client1", `${nodes.master}:${nodePort}`)).toMatch(/^allowed/);

    await replace(`second-${port}`, `third-${port}`);
    await cluster.carriedOut();
    await witnesses.grow(["tcp", "udp"], 20);
    expect(held.now.servers).toEqual(held.now.servers.map(() => `default/second-${port}`));
    for (const node of entries) expect(await cluster.see("client1", `${node}:${nodePort}`)).toBe("dropped");
    expect(await cluster.see("client1", `${nodes.master}:${nodePort + 1}`, { protocol: "udp" })).toBe("dropped");
    await cluster.removePod(`third-${port}`);
  });

  test("UDP to processes of several nodes: clients are seen, flows keep theirs, and move when it is gone", async () => {
    const at = [nodes.master, nodes.node];
    if (mode === "DSR")
      for (const name of ["master", "node"] as const) await serveProbes(cluster, name, `host/${name}`, "udp:5300");
    const [last, nodePort] = mode === "DSR" ? [45, 30_181] : [46, 30_182];
    const name = `hosts-${port}`;
    const spec = { ports: [{ name: "web", protocol: "UDP", port: 53, targetPort: 5300, nodePort }] };
    const put = (backends: readonly string[]) => {
      const slice = endpoints(
        name,
        backends.map((address) => ({ address, node: address === nodes.master ? "master" : "node" })),
        "UDP",
      );
      cluster.apply(service(name, { clusterIP: `10.96.0.${last}`, nodePort, protocol: "UDP", spec }), {
        ...slice,
        ports: [{ name: "web", protocol: "UDP", port: 5300 }],
      });
      return cluster.carriedOut();
    };
    await put(at);
    const doors: [From, string, string][] = [
      ...entries.map((entry): [From, string, string] => ["client1", `${entry}:${nodePort}`, "172.31.1.55"]),
      ["default/near", `10.96.0.${last}:53`, near.address],
      ["default/far", `10.96.0.${last}:53`, far.address],
      ["master", `10.96.0.${last}:53`, nodes.master],
    ];
    type Door = (typeof doors)[number];
    const ask = ([from, to]: Door) => {
      const flow = (_: unknown, index: number) => ({ to, protocol: "udp" as const, sourcePort: port + 20 + index });
      return cluster.probe(from, ...Array.from({ length: 12 }, flow));
    };
    const serversAt = async (door: Door): Promise<(string | undefined)[]> => {
      const seen = await ask(door);
      const wrong = seen.filter((one) => one.verdict !== "allowed" || one.source !== door[2]);
      expect(wrong, door.join()).toEqual([]);
      return seen.map(({ server }) => server);
    };
    for (const door of doors) {
      const servers = await serversAt(door);
      expect(new Set(servers), door.join()).toEqual(new Set(["host/master", "host/node"]));
      // A socket that is opened again has no flow that it would keep.
      if (door[0] === "client1") expect(await serversAt(door)).toEqual(servers);
    }
    await put([nodes.node]);
    // A next hop that was found just before is used for 0.1 s: datagrams that it leads to the other one are lost.
    for (const door of doors) {
      await until(`flows of ${door.join()} to move`, async () =>
        (await ask(door)).every(({ server }) => server === "host/node"),
      );
      expect(new Set(await serversAt(door)), door.join()).toEqual(new Set(["host/node"]));
    }
  });

  describe("a QUIC client, whose port changes on its way", () => {
    const PORTS = 8;
    const first = port + 50;
    const put = (affinity: boolean) => {
      const { metadata, spec, ...rest } = service("quic", {
        clusterIP: "10.96.0.47",
        nodePort: 30_190,
        protocol: "UDP",
      });
      const annotations = { "ebpf-dataplane.io/backend-selection": "Maglev" };
      const sticky = affinity && { sessionAffinity: "ClientIP" };
      cluster.apply(
        { ...rest, metadata: { ...metadata, annotations }, spec: { ...(spec as object), ...sticky } },
        endpoints("quic", [near, far, witness], "UDP"),
      );
      return cluster.carriedOut();
    };

    /** Who answers a connected socket at each of its ports. */
    async function servers(entry: string, from: number): Promise<string[]> {
      const found: string[] = [];
      for (let at = 0; at < PORTS; at++) {
        const to = [`${entry}:30190`];
        const asked: Asked = { how: "connected", family: 4, to, count: 3, sourcePort: from + at, silence: 60_000 };
        const output = await cluster.run("client1", [process.execPath, client, JSON.stringify(asked)]);
        const seen = output
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Observed);
        const answers = seen.flatMap((one) => (one.event === "answer" ? [one] : []));
        expect(answers.map(({ saw, from }) => [saw, from])).toEqual(new Array(3).fill(["172.31.1.55", to[0]]));
        const [server, ...others] = new Set(answers.map(({ server }) => server));
        expect(others).toEqual([]);
        found.push(server ?? "");
      }
      return found;
    }

    test("is answered at each port, and by the same backend when its packets come to another node", async () => {
      await put(false);
      const seen = await servers(nodes.master, first);
      expect(new Set(seen).size).toBeGreaterThan(1);
      const detour = [`${nodes.master}/32`, "via", nodes.node];
      await cluster.run("client1", ["ip", "route", "add", ...detour]);
      try {
        expect(await servers(nodes.master, first)).toEqual(seen);
      } finally {
        await cluster.run("client1", ["ip", "route", "delete", ...detour]);
      }
    });

    test("keeps its backend with session affinity, whatever its port is and by whichever node it comes", async () => {
      await put(true);
      const seen = await Promise.all(entries.map((entry, at) => servers(entry, first + PORTS * (at + 1))));
      expect(new Set(seen.flat()).size).toBe(1);
    });
  });
});

describe.each(["All", "HostOnly"] as const)(
  "a pod that reaches itself with session affinity, socket translation %s",
  (sockets) => {
    const [last, nodePort] = sockets === "All" ? [50, 30_110] : [52, 30_120];
    const services = [
      [`self-tcp-${last}`, last, "TCP"],
      [`self-udp-${last}`, last + 1, "UDP"],
    ] as const;

    async function put(backends: readonly Placed[]): Promise<void> {
      for (const [name, address, protocol] of services)
        cluster.apply(
          service(name, {
            ...{ clusterIP: `10.96.0.${address}`, nodePort: nodePort + address - last, protocol },
            spec: { sessionAffinity: "ClientIP" },
          }),
          endpoints(name, backends, protocol),
        );
      await cluster.carriedOut();
    }

    /** Who answers its next ten connections and flows, and whom they saw. */
    async function seen(): Promise<string[]> {
      const asked = services.flatMap(([, address, protocol]) =>
        Array.from({ length: 10 }, () => ({
          ...{ to: `10.96.0.${address}:80`, protocol: protocol.toLowerCase() as "tcp" | "udp" },
        })),
      );
      const results = await cluster.probe("default/near", ...asked);
      return [...new Set(results.map(({ verdict, server, source }) => `${verdict} ${server} saw ${source}`))].sort();
    }

    test("keeps itself when others come, has another one while it is not ready, and keeps that one", async () => {
      cluster.apply(felix({ "ebpf-dataplane.io/socket-translation": sockets }));
      const itself =
        sockets === "All"
          ? [`allowed default/near saw ${near.address}`]
          : services.map(([, address]) => `allowed default/near saw 10.96.0.${address}`);
      await put([near]);
      expect(await seen()).toEqual(itself);
      await put([near, far, witness]);
      expect(await seen()).toEqual(itself);
      await put([far]);
      expect(await seen()).toEqual([`allowed default/far saw ${near.address}`]);
      await put([near, far, witness]);
      expect(await seen()).toEqual([`allowed default/far saw ${near.address}`]);
    });
  },
);
