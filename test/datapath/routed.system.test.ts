// Two nodes in different subnets, with a router and a link of 1400 bytes between them (objects.ts, `routedSubnets`): `web` is a pod behind the
// small link, `wide` one in front of it; client1 is in front of it too, client2 behind it.
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareCluster } from "./cluster/bare-cluster.ts";
import {
  clients,
  clientsIpv6,
  egressGateway,
  endpoints,
  endpointsIpv6,
  type NodeName,
  nodes,
  nodesIpv6,
  returnMode,
  routedNodeIpv6,
  service,
} from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { serve } from "./traffic/serving.ts";

const PORT = 9000;
const noRouter =
  spawnSync("sh", ["-c", "command -v bird"]).status !== 0 && "SKIP: bird is not installed (tools/bootstrap tests)";
const inPod = (pod: string, argv: string[]) => ["nsenter", `--net=/run/netns/${pod}`, ...argv];

/** Forgets which sizes fit. */
const FORGET = ["sh", "-c", "ip route flush cache; ip -6 route flush cache"];

/** Answers a datagram that holds a number with that many bytes, and a stream with as many as it had. */
const SERVER = `for (const type of ["udp4", "udp6"]) {
  const socket = require("node:dgram").createSocket({ type, ipv6Only: type === "udp6" });
  socket.on("message", (text, { port, address }) => socket.send(Buffer.alloc(Number(text.toString().trim())), port, address, () => {}));
  socket.bind(${PORT});
}
require("node:net").createServer({ allowHalfOpen: true }, (socket) => {
  let bytes = 0;
  socket.on("error", () => {}).on("data", (data) => (bytes += data.length)).on("end", () => socket.end(Buffer.alloc(bytes)));
}).listen(${PORT});`;

/** Only a hang takes that long. */
const PATIENCE_MS = 60_000;

/** Sends a MiB, and reads what comes back to its end; prints its size. */
const streamer = (to: string, port: number) => [
  process.execPath,
  "-e",
  `let bytes = 0;
   const socket = require("node:net").connect(${port}, "${to}");
   socket.end(Buffer.alloc(1 << 20));
   socket.on("data", (data) => (bytes += data.length)).on("end", () => { console.log(bytes); process.exit(); });
   setTimeout(() => process.exit(9), ${PATIENCE_MS});`,
];

/** Asks for an answer of so many bytes, in a datagram of so many, until it comes; prints its size. */
const asker = (to: string, port: number, size: number, answer: number) => [
  process.execPath,
  "-e",
  `const socket = require("node:dgram").createSocket("${to.includes(":") ? "udp6" : "udp4"}");
   socket.on("message", (data) => { console.log(data.length); process.exit(); });
   socket.connect(${port}, "${to}", () => setInterval(() => socket.send("${answer}".padEnd(${size}), () => {}), 150));
   socket.on("error", () => {}); // EMSGSIZE: it has learned
   setTimeout(() => process.exit(9), ${PATIENCE_MS});`,
];

describe.skipIf(noRouter)("nodes in different subnets", () => {
  let cluster: BareCluster;
  let web: Placed;
  let wide: Placed;

  beforeAll(async () => {
    cluster = await BareCluster.start({ routed: true, stack: "dual" });
    [web, wide] = await Promise.all([
      cluster.addPod("web", "node", { app: "web" }),
      cluster.addPod("wide", "master", { app: "wide" }),
    ]);
    for (const pod of [web, wide])
      await serve(cluster, pod, [process.execPath, "-e", SERVER], `udp:${PORT}`, `tcp:${PORT}`);
    expose("web", web, 10, 30604);
    expose("wide", wide, 20, 30704);
    await cluster.carriedOut();
  });
  afterAll(() => cluster?.close());

  /** TCP to the probe's server, UDP to the one above: at the next number. */
  function expose(name: string, pod: Placed, number: number, nodePort: number): void {
    const addresses = (last: number) => ({ clusterIP: `10.96.0.${last}`, clusterIPv6: `fd00:10:96::${last}` });
    cluster.apply(
      service(name, { ...addresses(number), nodePort }),
      endpoints(name, [pod]),
      endpointsIpv6(name, [pod]),
    );
    const udp = `${name}-udp`;
    cluster.apply(service(udp, { ...addresses(number + 1), nodePort: nodePort + 1, protocol: "UDP" }));
    for (const slice of [endpoints(udp, [pod], "UDP"), endpointsIpv6(udp, [pod], "UDP")])
      cluster.apply({ ...slice, ports: [{ name: "web", protocol: "UDP", port: PORT }] });
    const stream = `${name}-stream`;
    cluster.apply(service(stream, { ...addresses(number + 2), nodePort: nodePort + 2 }));
    for (const slice of [endpoints(stream, [pod]), endpointsIpv6(stream, [pod])])
      cluster.apply({ ...slice, ports: [{ name: "web", protocol: "TCP", port: PORT }] });
  }

  const answer = async (machine: NodeName | keyof typeof clients, argv: string[]) =>
    (await cluster.run(machine, argv)).trim();

  test("each pod's MTU is its own node's, less the tunnel's headers", async () => {
    const link = ["ip", "link", "show", "dev", "eth0"];
    expect(await answer("node", inPod("web", link))).toContain(" mtu 1350 ");
    expect(await answer("master", inPod("wide", link))).toContain(" mtu 1450 ");
  });

  test("pods reach each other through the tunnel with datagrams as large as the sender's link allows", async () => {
    for (const to of [web.address, web.addressIpv6 as string]) {
      expect(await cluster.see("default/wide", to.includes(":") ? `[${to}]:80` : `${to}:80`)).toMatch(
        /^allowed default\/web saw/,
      );
      expect(await answer("master", inPod("wide", asker(to, PORT, 1400, 1400)))).toBe("1400");
    }
  });

  test("a pod leaves by its gateway, whose address clients see; they learn what fits the way between the gateway and the pod's node", async () => {
    await serve(cluster, "client1", [process.execPath, "-e", SERVER], `udp:${PORT}`);
    cluster.apply(egressGateway("web", "master"));
    await cluster.carriedOut();
    for (const to of [clients.client1, clientsIpv6.client1]) {
      await answer("client1", FORGET);
      expect(await answer("node", inPod("web", asker(to, PORT, 10, 1400)))).toBe("1400");
      const gateway = to.includes(":") ? nodesIpv6.master : nodes.master;
      expect(await answer("client1", ["ip", "route", "get", gateway])).toMatch(/ mtu 1350\b/);
    }
    cluster.remove(egressGateway("web", "master"));
    await cluster.carriedOut();
  });

  describe.each(["DSR", "Tunnel"] as const)("return mode %s", (mode) => {
    beforeAll(async () => {
      cluster.apply(returnMode(mode));
      await cluster.carriedOut();
      const by = mode === "DSR" ? "return_direct" : "return_via_entry";
      const before = (await cluster.outcomes("node"))[by] ?? 0;
      expect(await cluster.see("client1", "172.31.1.8:30604")).toMatch(/^allowed/);
      expect((await cluster.outcomes("node"))[by] ?? 0).toBeGreaterThan(before);
    });

    test.each([
      ["client1", "172.31.1.8:30604", "web", "172.31.1.55"],
      ["client1", `[${nodesIpv6.master}]:30604`, "web", "fd00:172:31:1::55"],
      ["client2", "172.31.1.8:30604", "web", "172.31.1.162"],
      ["client2", `[${nodesIpv6.master}]:30604`, "web", "fd00:172:31:2::162"],
      ["client1", "172.31.1.207:30704", "wide", "172.31.1.55"],
      ["client2", `[${routedNodeIpv6}]:30704`, "wide", "fd00:172:31:2::162"],
    ] as const)("%s is seen with its address through the node port %s of %s", async (client, to, pod, source) => {
      expect(await cluster.see(client, to)).toBe(`allowed default/${pod} saw ${source}`);
    });

    test.each([
      ["client1", "172.31.1.8", 30605],
      ["client1", nodesIpv6.master, 30605],
      ["client2", "172.31.1.8", 30605],
      ["client2", nodesIpv6.master, 30605],
    ] as const)(
      "%s learns which datagrams fit, and the pod behind the small link gets them from %s",
      async (client, to, port) => {
        const size = to.includes(":") ? 1452 : 1472; // fills 1500 bytes
        await answer(client, FORGET);
        expect(await answer(client, asker(to, port, size, 10))).toBe("10");
        // client2's own link is smaller than what fits into the tunnel. What client1 cuts to fit the entry node's link, the router may cut again in IPv4.
        const fits = to.includes(":") ? 1350 : 1450;
        if (client === "client1")
          expect(await answer(client, ["ip", "route", "get", to])).toMatch(new RegExp(` mtu ${fits}\\b`));
      },
    );

    test.each([
      ["client1", "172.31.1.8", 30606],
      ["client1", nodesIpv6.master, 30606],
      ["client2", "172.31.1.207", 30706],
      ["client2", routedNodeIpv6, 30706],
      // In tunnel mode its segments fit the links of client1 and the pod, but not that of the entry node.
      ["client1", "172.31.1.207", 30706],
      ["client1", routedNodeIpv6, 30706],
    ] as const)("%s exchanges streams with a pod of the other node through %s", async (client, to, port) => {
      expect(await answer(client, streamer(to, port))).toBe(String(1 << 20));
    });

    test.each([
      ["its own node", "172.31.1.8"],
      ["its own node", nodesIpv6.master],
      ["the other node", "172.31.1.207"],
      ["the other node", routedNodeIpv6],
    ] as const)("a pod learns that its answers by %s (%s) do not fit the small link of the client", async (_, to) => {
      await answer("master", inPod("wide", FORGET));
      expect(await answer("client2", asker(to, 30705, 10, 1400))).toBe("1400");
      const client = to.includes(":") ? "fd00:172:31:2::162" : clients.client2;
      expect(await answer("master", inPod("wide", ["ip", "route", "get", client]))).toMatch(/ mtu 1[34]\d\d\b/);
    });
  });
});
