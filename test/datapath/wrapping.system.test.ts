import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./cluster/bare-cluster.ts";
import {
  endpoints,
  endpointsIpv6,
  type NodeName,
  nodes,
  nodesIpv6,
  pool,
  poolIpv6,
  returnMode,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serve } from "./traffic/serving.ts";

const MEBIBYTES = 8;
const PATTERN = "Buffer.alloc(1 << 20, Uint8Array.from({ length: 251 }, (_, i) => i + 1))";

/** Sends a known stream, then reads one until the end, and reports what it read. */
const both = (socket: string) => `
  const { createHash } = require("node:crypto");
  const hash = createHash("sha256"); let bytes = 0;
  ${socket}.on("data", (part) => { hash.update(part); bytes += part.length; });
  ${socket}.on("end", () => { console.log(bytes, hash.digest("hex")); });
  const chunk = ${PATTERN};
  for (let i = 0; i < ${MEBIBYTES}; i++) ${socket}.write(chunk);
  ${socket}.end();`;

// Streams that the kernel carries in large segments (GSO), and datagrams that fit no more once they are wrapped.
describe.each([
  { mode: "DSR", vxlanMode: "Always", mtu: 1500 },
  { mode: "Tunnel", vxlanMode: "CrossSubnet", mtu: 9000 },
] as const)("wrapped between nodes, return mode $mode, VXLAN $vxlanMode, MTU $mtu", ({ mode, vxlanMode, mtu }) => {
  let cluster: BareCluster;
  let web: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ vxlanMode, mtu, stack: "dual" });
    web = await cluster.addPod("web", "node", { app: "web" });
    await cluster.addPod("asker", "master", { app: "asker" });
    cluster.apply(
      returnMode(mode),
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
    );
    const server = `require("node:net").createServer({ allowHalfOpen: true }, (socket) => { ${both("socket")} }).listen(80)`;
    // Instead of the probe's server: another port of the pod.
    await serve(cluster, web, [process.execPath, "-e", server.replace("listen(80)", "listen(9000)")], "tcp:9000");
    await serve(cluster, web, [process.execPath, "-e", counter], "tcp:9001");
    const exposed = (number: number) => ({ clusterIP: `10.96.0.${number}`, clusterIPv6: `fd00:10:96::${number}` });
    cluster.apply(
      service("stream", { ...exposed(20), nodePort: 30900 }),
      ...slices("stream", web, 9000),
      service("upload", { ...exposed(21), nodePort: 30901 }),
      ...slices("upload", web, 9001),
    );
    await cluster.carriedOut();
    await until("the streams' servers", async () => {
      const listening = await cluster.run("node", inPod("web", ["ss", "-Hltn"]));
      return [":9000", ":9001"].every((port) => listening.includes(port));
    });
  });
  afterAll(() => cluster?.close());

  const asks = (host: string, port: number) => [
    process.execPath,
    "-e",
    `const socket = require("node:net").connect({ host: "${host}", port: ${port}, allowHalfOpen: true }, () => { ${both("socket")} }); setTimeout(() => process.exit(9), 60000).unref();`,
  ];

  const entries = { IPv4: nodes.master, IPv6: nodesIpv6.master } as const;
  describe.each(["IPv4", "IPv6"] as const)("over %s", (family) => {
    test("a client and a pod exchange complete streams through the entry node", async () => {
      const shown = await cluster.run("client1", asks(entries[family], 30900));
      expect(shown.trim()).toBe(await expected());
    });

    test("two pods on different nodes do so too", async () => {
      const address = family === "IPv4" ? web.address : (web.addressIpv6 ?? "");
      const shown = await cluster.run("master", inPod("asker", asks(address, 9000)));
      expect(shown.trim()).toBe(await expected());
    });

    test("a client uploads 100 MB through the entry node, in large segments", async () => {
      const before = await forwarded();
      expect((await cluster.run("client1", uploads(entries[family], 30901))).trim()).toBe(`${UPLOAD}`);
      const { packets, bytes } = await forwarded();
      expect(bytes - before.bytes).toBeGreaterThan(UPLOAD);
      // Cut for the link, each would have at most the MTU.
      expect((bytes - before.bytes) / (packets - before.packets)).toBeGreaterThan(2 * mtu);
    });
  });

  /** What the entry node has sent on to the other one. */
  async function forwarded(): Promise<{ packets: number; bytes: number }> {
    const { packets = 0, bytes = 0 } = cluster.totals("master").get("forward_service") ?? {};
    return { packets: Number(packets), bytes: Number(bytes) };
  }

  if (vxlanMode === "CrossSubnet")
    test("two pods exchange complete streams in IPIP, in large segments", async () => {
      cluster.apply(pool("Never", "Always"), poolIpv6("Never"));
      try {
        await cluster.podsHaveMtu(mtu - 20);
        const [carried, stray] = await Promise.all([
          captures(`ip proto 4 and greater ${2 * mtu}`),
          captures("tcp port 9000 or udp port 4789"),
        ]);
        const shown = await cluster.run("master", inPod("asker", asks(web.address, 9000)));
        expect(shown.trim()).toBe(await expected());
        await until("a large segment in IPIP", async () => carried.exitCode === 0);
        expect(stray.exitCode).toBe(null);
        stray.kill();
      } finally {
        cluster.apply(pool(vxlanMode), poolIpv6(vxlanMode));
        await cluster.podsHaveMtu(mtu - 50);
      }
    });

  /** Ends with the first packet of the wire that fits the filter. */
  async function captures(filter: string): Promise<ChildProcess> {
    const capture = cluster.spawn("master", ["tcpdump", "-nni", "eth0", "-c", "1", filter]);
    await new Promise((resolve) => capture.stderr?.once("data", resolve)); // it listens
    return capture;
  }

  test("small requests and replies pass no tunnel device", async () => {
    const before = [await received("node"), await received("master")];
    const asked = await cluster.probe("client1", { to: "172.31.1.8:30604", count: 20 });
    expect(asked.every(({ verdict }) => verdict === "allowed")).toBe(true);
    expect([await received("node"), await received("master")]).toEqual(before);
  });

  async function received(node: NodeName): Promise<number> {
    const shown = await cluster.run(node, ["cat", "/sys/class/net/ebpf-vxlan/statistics/rx_packets"]);
    return Number(shown);
  }
});

const inPod = (pod: string, argv: string[]) => ["nsenter", `--net=/run/netns/${pod}`, ...argv];

const UPLOAD = 100_000_000;

/** Answers a stream with its length. */
const counter = `require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on("data", (part) => { bytes += part.length; }).on("end", () => socket.end(String(bytes)));
}).listen(9001)`;

/** Sends so much, and prints the answer. */
const uploads = (host: string, port: number) => [
  process.execPath,
  "-e",
  `const { Readable } = require("node:stream");
   function* parts() { for (let left = ${UPLOAD}; left > 0; left -= 1e6) yield Buffer.alloc(Math.min(left, 1e6), 7); }
   const socket = require("node:net").connect({ host: "${host}", port: ${port}, allowHalfOpen: true });
   Readable.from(parts()).pipe(socket);
   socket.on("data", (text) => console.log(String(text))).on("error", (error) => { console.log(error.message); process.exit(8); });
   setTimeout(() => process.exit(9), 60000).unref();`,
];

/** These servers are not the probe's: same pod, another port. */
function slices(name: string, backend: Placed, port: number) {
  const ports = [{ name: "web", protocol: "TCP", port }];
  return [endpoints(name, [backend]), endpointsIpv6(name, [backend])].map((slice) => ({ ...slice, ports }));
}

async function expected(): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(
    1 << 20,
    Uint8Array.from({ length: 251 }, (_, i) => i + 1),
  );
  for (let i = 0; i < MEBIBYTES; i++) hash.update(chunk);
  return `${MEBIBYTES << 20} ${hash.digest("hex")}`;
}
