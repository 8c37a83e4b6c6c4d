// What a cluster that encrypts carries beside small packets: more than fits one, and a connection that goes on while keys and agents change.
import type { Probe } from "../../probe/batch.ts";
import { type From, until } from "../datapath/cluster/bare-cluster.ts";
import { type NodeName, nodes } from "../datapath/cluster/objects.ts";
import { type Streamed, stream } from "../datapath/traffic/streaming.ts";
import { AT_MASTER, configuration, type EncryptedLab, MARKER, PATIENCE, POD_MTU } from "./encrypted-lab.ts";
import { tell } from "./told.ts";

const UDP = { protocol: "udp" } as const;

/** Sends so much that its pieces fill the client's link, and do not fit once they are wrapped. */
const DATAGRAM = `
  const socket = require("node:dgram").createSocket("udp4");
  const ends = (how) => { console.log(how); process.exit(); };
  socket.on("message", () => ends("answered"));
  socket.send(Buffer.from("${MARKER}".repeat(1200)), 30053, process.argv[1]);
  setTimeout(() => ends("no answer"), ${PATIENCE.timeoutMs});`;

/** More than fits a packet: of TCP, and of UDP in fragments. A client learns what fits its way. */
export async function testLargePackets({ cluster, web, shop }: EncryptedLab): Promise<void> {
  const echoes = async (title: string, from: From, to: string, size: number, more: Partial<Probe> = {}) => {
    const result = (await cluster.probe(from, { to, size, ...PATIENCE, ...more })).at(-1);
    tell("connections", title, `${result?.echoed} of ${size} bytes`, `${size} of ${size} bytes`);
  };
  await echoes("100 kB of TCP between pods", "default/shop", `${web.address}:82`, 100_000);
  await echoes("60 kB of UDP between pods", "default/shop", `${web.address}:80`, 60_000, UDP);
  await echoes("60 kB of UDP between pods, IPv6", "default/web", `[${shop.addressIpv6}]:80`, 60_000, UDP);
  for (const mode of ["Tunnel", "DSR"] as const) {
    cluster.apply(configuration(mode));
    await cluster.carriedOut();
    await cluster.run("client1", ["ip", "route", "flush", "cache"]);
    const answered = await cluster.run("client1", [process.execPath, "-e", DATAGRAM, nodes.master]);
    tell("connections", `UDP in pieces as large as the client's link, ${mode}`, answered.trim(), "answered");
    await echoes(`100 kB of TCP of a client, ${mode}`, "client1", AT_MASTER.echo, 100_000);
    // The first datagram fills the client's link, and may not be cut.
    const again = { ...UDP, count: 2, timeoutMs: 5_000 };
    await echoes(`1472 bytes of UDP of a client, once more, ${mode}`, "client1", AT_MASTER.dns, 1472, again);
    const route = await cluster.run("client1", ["ip", "route", "get", nodes.master]);
    tell("connections", `what fits, as the client knows, ${mode}`, `${/\bmtu (\d+)/.exec(route)?.[1]}`, `${POD_MTU}`);
    await echoes(`60 kB of UDP of a client, ${mode}`, "client1", AT_MASTER.dns, 60_000, UDP);
  }
}

/** A connection transfers data while a node changes its key, and while an agent starts again. */
export async function testTransfers({ cluster, keys, web, shop }: EncryptedLab): Promise<void> {
  const seen = stream(cluster, shop, `${web.address}:82`, MARKER);
  const whole: Omit<Streamed, "echoed"> = { wrong: 0, ended: "" };
  const transfers = async (when: string) => {
    const { echoed } = seen();
    await until(
      `data ${when}`,
      async () => seen().echoed > echoed + 50_000 || seen().ended !== "",
      () => JSON.stringify(seen()),
    );
    const { wrong, ended } = seen();
    tell("connections", `a transfer ${when}`, JSON.stringify({ wrong, ended }), JSON.stringify(whole));
  };
  await transfers("at first");
  const before = keys.of("master");
  keys.withdraw("master");
  await keys.publish("master");
  await transfers("after a node changed its key");
  await untilUsed("master", `${keys.of("master")}`);
  tell("connections", "the node's key", keys.of("master") === before ? "the same" : "another one", "another one");
  await cluster.endAgent("node");
  await transfers("without an agent");
  await cluster.startAgent("node");
  await cluster.carriedOut();
  await transfers("after another agent's start");
  const kept = (await keys.wanted("node")) === keys.of("node");
  tell("connections", "the key of an agent that started again", kept ? "the same" : "another one", "the same");

  async function untilUsed(name: NodeName, key: string): Promise<void> {
    const said = () => cluster.log(name).includes(`this node uses the key ${key}`);
    await until(
      `the agent of ${name} to use its next key`,
      async () => said(),
      () => cluster.log(name),
    );
  }
}
