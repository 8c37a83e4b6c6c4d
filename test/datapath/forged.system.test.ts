import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ethernet, frame, ip, tcp, udp } from "../packets/frames.ts";
import { BareCluster, program, until } from "./cluster/bare-cluster.ts";
import { clients, endpoints, type NodeName, nodes, onlyFrom, returnMode, service } from "./cluster/objects.ts";
import type { Placed } from "./cluster/placed.ts";
import { Attacker } from "./traffic/attacker.ts";
import { serveEchoes } from "./traffic/serving.ts";

/** More than `half_open` has room for, at one entry each on the entry node. */
const FLOOD = 80_000;

let cluster: BareCluster;
let attacker: Attacker;
let mac: Record<NodeName, string>;

beforeAll(async () => {
  cluster = await BareCluster.start();
  attacker = new Attacker(cluster);
  const [one, two, guarded] = (await Promise.all(
    ["one", "two", "guarded"].map((name) => cluster.addPod(name, "node", { app: name })),
  )) as [Placed, Placed, Placed];
  mac = { master: await attacker.mac("master"), node: await attacker.mac("node") };
  for (const pod of [one, two]) await serveEchoes(cluster, pod);
  const ports = [{ name: "echo", protocol: "TCP", port: 82 }];
  const spec = { ports: [{ name: "echo", protocol: "TCP", port: 82, targetPort: 82, nodePort: 30082 }] };
  cluster.apply(
    service("echo", { clusterIP: "10.96.0.12", nodePort: 30082, spec }),
    { ...endpoints("echo", [one, two]), ports },
    service("guarded", { clusterIP: "10.96.0.13", nodePort: 30083 }),
    endpoints("guarded", [guarded]),
    service("dns", { clusterIP: "10.96.0.14", nodePort: 30053, protocol: "UDP" }),
    endpoints("dns", [one], "UDP"),
    onlyFrom("guarded", "172.31.1.162/32"),
  );
});
afterAll(async () => {
  attacker?.close();
  await cluster?.close();
});

/** Connections of client1, from the ports `from` and on, in a return mode. */
function holding(mode: "DSR" | "Tunnel", from: number) {
  let held: Held;
  beforeAll(async () => {
    cluster.apply(returnMode(mode));
    await cluster.carriedOut();
    expect(await cluster.see("client1", "172.31.1.8:30083")).toBe("dropped");
    held = hold(cluster, 20, from);
    await until("the connections", async () => held.lines.filter((line) => line === "connected").length === 20);
    expect(await held.echoes()).toBe(20);
  });
  afterAll(() => held?.end());

  /** The flags of every entry that these connections have on a node. */
  async function flags(node: NodeName): Promise<string[]> {
    const words = [process.execPath, program, "inspect", "connections", "--client", clients.client1, "--json"];
    const rows = JSON.parse(await cluster.run(node, words)) as Record<
      "protocol" | "packet" | "flags" | "state",
      string
    >[];
    // A datagram of client1's may come from one of these numbers, too.
    return rows
      .filter(({ protocol, packet }) => protocol === "TCP" && new RegExp(`:${from / 100}[01]\\d`).test(packet))
      .map(({ packet, flags, state }) => `${packet} ${state}: ${flags}`);
  }
  return { flags, held: () => held };
}

// A client's established connections survive forged packets from its address, or from many addresses. In each part from ports of its own,
// none of which the kernel gives to another socket (SOCKET_PORTS).
const FIRST_PORTS = [
  { mode: "DSR", PORT: 41_000 },
  { mode: "Tunnel", PORT: 44_000 },
] as const;

describe.each(FIRST_PORTS)("forged packets, return mode $mode", ({ mode, PORT }) => {
  const { flags, held } = holding(mode, PORT);
  const forged = (marks: string, port: number) =>
    frame({ source: clients.client1, destination: nodes.master }, tcp(port, 30082, marks), { destination: mac.master });
  const everywhere = (marks: string) => Array.from({ length: 20 }, (_, index) => forged(marks, PORT + index));

  test.each(["R", "RA", "S", "FA", "A"])(
    "a forged %s ends none of them, and shortens the time of none",
    async (marks) => {
      await attacker.send("client2", ...everywhere(marks));
      await until("the forged packets", async () => (await flags("master")).length >= 20);
      for (const node of ["master", "node"] as const) {
        const entries = await flags(node);
        expect(entries.length).toBe(node === "master" ? 20 : 40);
        // All of them at once: by chance (1 in 30,000) a connection's sequence number is near the forged one.
        const ended = entries.filter((entry) => !/ established: (?!.*(reset|closed|fin))/.test(entry));
        expect(ended).toEqual([]);
      }
      expect(await held().echoes()).toBe(20);
      expect(held().lines.filter((line) => line !== "connected")).toEqual([]);
    },
  );

  test("a real RST and a real FIN still close", async () => {
    const closing = `
      const { connect } = require("node:net");
      for (const [port, end] of [[${PORT + 110}, "destroy"], [${PORT + 111}, "resetAndDestroy"]]) {
        const socket = connect({ host: "172.31.1.8", port: 30082, localPort: port }, () => socket.write("x"));
        socket.on("data", () => socket[end]()); socket.on("error", () => {});
      }`;
    await cluster.run("client1", [process.execPath, "-e", closing]);
    const words = [process.execPath, program, "inspect", "connections", "--client", clients.client1, "--json"];
    const at = async (port: number) =>
      (JSON.parse(await cluster.run("node", words)) as { packet: string; flags: string }[])
        .filter(({ packet }) => packet.includes(`:${port}`))
        .map(({ flags }) => flags);
    await until("both to be over", async () => {
      const [closed, reset] = [await at(PORT + 110), await at(PORT + 111)];
      return (
        closed.length === 2 &&
        closed.every((flags) => flags.includes("closed")) &&
        reset.length === 2 &&
        reset.every((flags) => flags.includes("reset"))
      );
    });
  });

  test("a client that lost its connection and reopens it is served after a challenge ACK", async () => {
    // The client's kernel has freed the port, the backend has not.
    const again = `
      const socket = require("node:net").connect({ host: "172.31.1.8", port: 30082, localPort: ${PORT + 200} }, () => socket.write("x"));
      socket.on("data", () => { console.log("served"); process.exit(0); });
      socket.on("error", (error) => { console.log(error.code); process.exit(1); });`;
    await cluster.run("client1", [
      "nft",
      `add table inet silence; add chain inet silence out { type filter hook output priority 0; }; add rule inet silence out tcp sport ${PORT + 200} tcp flags & (fin|rst) != 0 drop`,
    ]);
    expect((await cluster.run("client1", [process.execPath, "-e", again])).trim()).toBe("served");
    await cluster.run("client1", ["ss", "-K", "sport", "=", `${PORT + 200}`]);
    await cluster.run("client1", ["nft", "delete table inet silence"]);
    const entries = await flags("master");
    expect(entries.filter((entry) => entry.includes("reset"))).toEqual([]);
    expect((await cluster.run("client1", [process.execPath, "-e", again])).trim()).toBe("served");
  });
});

// The floods come last: what fills the tables is read with every look at them.
describe.each(FIRST_PORTS)("floods, return mode $mode", ({ mode, PORT }) => {
  const { flags, held } = holding(mode, PORT + 2_000);

  /** All of them, where there are more or fewer than there should be. */
  async function unlessAllAreThere(node: NodeName): Promise<string[]> {
    const entries = await flags(node);
    return entries.length === (node === "master" ? 20 : 40) ? [] : entries;
  }

  test.each([
    { what: "SYNs at the service", to: "tcp", port: 30082 },
    { what: "SYNs at a port whose policy denies it", to: "tcp", port: 30083 },
    { what: "datagrams", to: "udp", port: 30053 },
  ])("a flood of $what costs no established connection", async ({ to, port }) => {
    const packet = { source: "198.18.0.1", destination: nodes.master };
    const transport = to === "tcp" ? tcp(1024, port, "S") : udp(1024, port, Buffer.from("flood"));
    await attacker.flood("client2", ethernet(ip(packet, transport), 0x0800, { destination: mac.master }), FLOOD);
    // Behind the flood, on the same wires; and the datagrams' server reads the flood first.
    await until("the flood's end", async () =>
      (await cluster.see("client1", "172.31.1.8:30053", { protocol: "udp" })).startsWith("allowed"),
    );
    for (const node of ["master", "node"] as const) expect(await unlessAllAreThere(node), node).toEqual([]);
    expect(await held().echoes()).toBe(20);
  });
});

interface Held {
  readonly lines: string[];
  /** Sends a byte on each connection: how many came back. */
  echoes(): Promise<number>;
  end(): void;
}

/** Connections of client1 to the echo service by master's node port, from the ports `from` and on; idle until asked. */
function hold(cluster: BareCluster, count: number, from: number): Held {
  const holder = `
    const sockets = Array.from({ length: ${count} }, (_, index) => {
      const socket = require("node:net").connect({ host: "172.31.1.8", port: 30082, localPort: ${from} + index });
      for (const event of ["error", "close"]) socket.on(event, (error) => console.log(event, error?.code ?? ""));
      socket.on("connect", () => console.log("connected"));
      socket.on("data", () => console.log("echo"));
      return socket;
    });
    require("node:http").createServer((_, answer) => { for (const socket of sockets) socket.write("x"); answer.end(); }).listen(${from + 300}, "127.0.0.1");`;
  const child = cluster.spawn("client1", [process.execPath, "-e", holder]);
  const lines: string[] = [];
  let echoed = 0;
  child.stdout?.on("data", (text: Buffer) => {
    for (const line of text.toString().trim().split("\n"))
      if (line === "echo") echoed++;
      else lines.push(line);
  });
  return {
    lines,
    end: () => void child.kill(),
    async echoes() {
      const before = echoed;
      await cluster.run("client1", [process.execPath, "-e", `fetch("http://127.0.0.1:${from + 300}")`]);
      await until(
        `${count} echoes`,
        async () => echoed - before >= count,
        () => `${echoed - before} came`,
      );
      return echoed - before;
    },
  };
}
