import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster, until } from "./bare-cluster.ts";
import { endpoints, type NodeName, returnMode, service } from "./objects.ts";
import type { Placed } from "./placed.ts";

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
  { mode: "DSR", vxlanMode: "Always" },
  { mode: "Tunnel", vxlanMode: "CrossSubnet" },
] as const)("wrapped between nodes, return mode $mode, VXLAN $vxlanMode", ({ mode, vxlanMode }) => {
  let cluster: BareCluster;
  let web: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ vxlanMode });
    web = await cluster.addPod("web", "node", { app: "web" });
    await cluster.addPod("asker", "master", { app: "asker" });
    cluster.apply(
      returnMode(mode),
      service("web", { clusterIP: "10.96.0.10", nodePort: 30604 }),
      endpoints("web", [web]),
    );
    const server = `require("node:net").createServer({ allowHalfOpen: true }, (socket) => { ${both("socket")} }).listen(80)`;
    // Instead of the probe's server: another port of the pod.
    cluster.spawn("node", inPod("web", [process.execPath, "-e", server.replace("listen(80)", "listen(9000)")]));
    cluster.apply(service("stream", { clusterIP: "10.96.0.20", nodePort: 30900 }), stream(web));
    await until("the service", async () => (await cluster.see("client1", "172.31.1.8:30604")).startsWith("allowed"));
    await until("the stream's server", async () =>
      (await cluster.run("node", inPod("web", ["ss", "-Hltn"]))).includes(":9000"),
    );
  });
  afterAll(() => cluster?.close());

  const asks = (to: string) => [
    process.execPath,
    "-e",
    `const socket = require("node:net").connect({ host: "${to.split(":")[0]}", port: ${to.split(":")[1]}, allowHalfOpen: true }, () => { ${both("socket")} }); setTimeout(() => process.exit(9), 60000).unref();`,
  ];

  test("a client and a pod exchange complete streams through the entry node", async () => {
    const shown = await cluster.run("client1", asks("172.31.1.8:30900"));
    expect(shown.trim()).toBe(await expected());
  });

  test("two pods on different nodes do so too", async () => {
    const shown = await cluster.run("master", inPod("asker", asks(`${web.address}:9000`)));
    expect(shown.trim()).toBe(await expected());
  });

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

/** The stream's server is not the probe's: same pod, another port. */
function stream(backend: Placed) {
  const slice = endpoints("stream", [backend]);
  return { ...slice, ports: [{ name: "web", protocol: "TCP", port: 9000 }] };
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
