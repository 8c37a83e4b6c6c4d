// Two nodes that encrypt, on a kernel with WireGuard, in each address family alone: the agent's own parts on real interfaces, with a router between
// the nodes that captures every frame. `encryption OBJECTS` prints a line of JSON for each family (findings.ts reads them).
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { inNamespace } from "../../agent/kernel/network-namespace.ts";
import { FAMILIES, type Family } from "../../model/address/address.ts";
import { NodeThatEncrypts, type Published } from "./encrypting-node.ts";
import { PLACES, placeName, podPlace } from "./encrypting-places.ts";
import { say } from "./told.ts";
import { WireCapture } from "./wire-capture.ts";

const [objects = ""] = process.argv.slice(2);
const MARKER = "nobody-between-the-nodes-reads-this";
/** Large segments, and no more at once than the capture's socket holds frames of. */
const [PIECES, PIECE] = [10, 10_000];
/** Only a hang lasts so long, on an emulated processor too. */
const PATIENCE_MS = 180_000;
const NAMES = ["a", "b"] as const;
const netns = (name: string) => `/run/netns/${name}`;

async function main(): Promise<void> {
  for (const family of FAMILIES) {
    makeNetwork(family);
    await new Conversation(family).hold();
  }
}

function makeNetwork(family: Family): void {
  const wire = placeName(family, "wire");
  const { nodes, routers, lengths } = PLACES[family];
  const atOnce = family === "IPv6" ? " nodad" : "";
  mkdirSync("/run/netns", { recursive: true });
  for (const place of [wire, ...NAMES.flatMap((name) => [placeName(family, name), podPlace(family, name)])]) {
    execFileSync("ip", ["netns", "add", place]);
    // A router asks for neighbors with its link-local address, which duplicate address detection would keep from use for a second.
    inNamespace(netns(place), () => writeFileSync("/proc/sys/net/ipv6/conf/default/accept_dad", "0"));
  }
  for (const name of NAMES) {
    const node = placeName(family, name);
    ip(wire, `link add to-${name} type veth peer name uplink netns ${node}`);
    ip(
      wire,
      `address add ${routers[name]}/${lengths.node} dev to-${name}${atOnce}`,
      `link set to-${name} up`,
      "link set lo up",
    );
    ip(
      node,
      `address add ${nodes[name]}/${lengths.node} dev uplink${atOnce}`,
      "link set lo up",
      "link set uplink up",
      `route add default via ${routers[name]}`,
    );
  }
  const forwarding = family === "IPv4" ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding";
  inNamespace(netns(wire), () => writeFileSync(`/proc/sys/net/${forwarding}`, "1"));
}

/** A pod of one node sends to one of the other, while everything between the nodes is captured. */
class Conversation {
  readonly #family: Family;
  readonly #published: Published = new Map();
  readonly #nodes: readonly NodeThatEncrypts[];
  readonly #capture: WireCapture;
  #sent = "";
  #echoed = "";

  constructor(family: Family) {
    this.#family = family;
    this.#nodes = NAMES.map((name) => new NodeThatEncrypts({ name, family, objects, published: this.#published }));
    this.#capture = new WireCapture(netns(placeName(family, "wire")), [MARKER]);
  }

  async hold(): Promise<void> {
    const [clientPlace, serverPlace] = [podPlace(this.#family, "a"), podPlace(this.#family, "b")];
    const inPod = (place: string, ...args: string[]) =>
      inNamespace(netns(place), () => spawn("busybox", args, { stdio: ["pipe", "pipe", "inherit"] }));
    inPod(serverPlace, "nc", "-ll", "-p", "80", "-e", "cat");
    await this.#settle();
    const silent = this.#handshakes();
    const serverSockets = (state: string) =>
      socketsOf(serverPlace).filter((one) => one.local.endsWith(":0050") && one.state === state);
    await this.#until(() => serverSockets("0A").length > 0);
    const client = inPod(clientPlace, "nc", this.#nodes[1]?.pod ?? "", "80");
    client.stdout.on("data", (bytes: Buffer) => {
      this.#echoed += bytes.toString("latin1");
    });
    await this.#talk(client.stdin, `${MARKER}\n`);
    const seenBy = serverSockets("01")[0]?.remote.split(":")[0] ?? "";
    for (let piece = 0; piece < PIECES; piece++) {
      await this.#talk(client.stdin, `${MARKER.repeat(PIECE / MARKER.length)}\n`);
      this.#capture.read();
    }
    const keys = this.#nodes.map((node) => node.keyInUse);
    this.#published.delete("a"); // as a person who removes the annotation
    await this.#settle();
    await this.#talk(client.stdin, `after ${MARKER}\n`);
    this.#capture.read();
    say({
      encryption: {
        family: this.#family,
        same: this.#echoed === this.#sent,
        seenBy,
        rotated: this.#nodes.map((node, index) => node.keyInUse !== keys[index]),
        ...{ silent, handshakes: this.#handshakes() },
        wire: this.#capture.summary(),
        podMtu: this.#nodes[0]?.podMtu ?? 0,
        refused: this.#nodes.map((node) => node.refused()),
      },
    });
  }

  #state(): string {
    const [wire, refused] = [this.#capture.summary(), this.#nodes.map((node) => node.refused())];
    return JSON.stringify({
      sent: this.#sent.length,
      echoed: this.#echoed.length,
      wire,
      refused,
      handshakes: this.#handshakes(),
    });
  }

  /** Of each node, with each of its peers. */
  #handshakes(): boolean[][] {
    return this.#nodes.map((node) =>
      (node.status()?.peers ?? []).map(({ handshakeSecondsAgo }) => handshakeSecondsAgo !== null),
    );
  }

  async #settle(): Promise<void> {
    for (let before = ""; ; ) {
      for (const node of this.#nodes) await node.round();
      await pause(50);
      const now = JSON.stringify([[...this.#published], this.#nodes.map((node) => node.keyInUse)]);
      if (now === before) return;
      before = now;
    }
  }

  /** Written by the client, and back from the server. */
  async #talk(to: Writable, text: string): Promise<void> {
    to.write(text);
    this.#sent += text;
    await this.#until(() => this.#echoed.length >= this.#sent.length);
  }

  async #until(condition: () => boolean): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`The pods of ${this.#family} said nothing for ${PATIENCE_MS / 1000} s: ${this.#state()}`);
      this.#capture.read();
      await pause(20);
    }
  }
}

function ip(name: string, ...commands: string[]): void {
  for (const command of commands) execFileSync("ip", ["-netns", name, ...command.split(" ")], { stdio: "inherit" });
}

/** TCP sockets of a namespace: addresses in hexadecimal, as the kernel prints them. */
function socketsOf(name: string): { local: string; remote: string; state: string }[] {
  const table = (file: string) => readFileSync(`/proc/thread-self/net/${file}`, "utf8").split("\n").slice(1);
  const lines = inNamespace(netns(name), () => [...table("tcp"), ...table("tcp6")]);
  return lines.filter(Boolean).map((line) => {
    const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
    return { local, remote, state };
  });
}

void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
