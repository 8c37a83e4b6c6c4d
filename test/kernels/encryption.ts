// Two nodes that encrypt, on a kernel with WireGuard: the agent's own parts on real interfaces, with a router between the nodes that captures
// every frame. `encryption OBJECTS` prints one line of JSON (findings.ts reads it).
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { inNamespace } from "../../agent/kernel/network-namespace.ts";
import { NodeThatEncrypts, type Published } from "./encrypting-node.ts";
import { WireCapture } from "./wire-capture.ts";

const [objects = ""] = process.argv.slice(2);
const MARKER = "nobody-between-the-nodes-reads-this";
/** Large segments, and no more at once than the capture's socket holds frames of. */
const [PIECES, PIECE] = [10, 10_000];
const netns = (name: string) => `/run/netns/${name}`;

for (const name of ["wire", "a", "b", "pod-a", "pod-b"]) {
  mkdirSync("/run/netns", { recursive: true });
  execFileSync("ip", ["netns", "add", name]);
}
const uplinks = { a: "192.0.2.1", b: "198.51.100.1" } as const;
for (const [node, router] of Object.entries(uplinks)) {
  const address = router.replace(/1$/, "2");
  ip("wire", `link add to-${node} type veth peer name uplink netns ${node}`);
  ip("wire", `address add ${router}/24 dev to-${node}`, `link set to-${node} up`, "link set lo up");
  ip(
    node,
    `address add ${address}/24 dev uplink`,
    "link set lo up",
    "link set uplink up",
    `route add default via ${router}`,
  );
}
inNamespace(netns("wire"), () => writeFileSync("/proc/sys/net/ipv4/ip_forward", "1"));

const published: Published = new Map();
const nodes = [
  new NodeThatEncrypts({ name: "a", address: "192.0.2.2", pod: "10.244.0.2", objects, published }),
  new NodeThatEncrypts({ name: "b", address: "198.51.100.2", pod: "10.244.1.2", objects, published }),
] as const;
const [a, b] = nodes;

async function settle(): Promise<void> {
  for (let before = ""; ; ) {
    for (const node of nodes) await node.round();
    await pause(50);
    const now = JSON.stringify([[...published], nodes.map((node) => node.keyInUse)]);
    if (now === before) return;
    before = now;
  }
}

const capture = new WireCapture(netns("wire"));
let [sent, echoed] = ["", ""];
void main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

async function main(): Promise<void> {
  const inPod = (pod: string, ...args: string[]) =>
    inNamespace(netns(pod), () => spawn("busybox", args, { stdio: ["pipe", "pipe", "inherit"] }));
  inPod("pod-b", "nc", "-ll", "-p", "80", "-e", "cat");
  await settle();
  await until(() => socketsOf("pod-b").some(({ local, state }) => local.endsWith(":0050") && state === "0A"));
  const client = inPod("pod-a", "nc", b.pod, "80");
  client.stdout.on("data", (bytes: Buffer) => {
    echoed += bytes.toString("latin1");
  });
  await talk(client.stdin, `${MARKER}\n`);
  const seenBy = socketsOf("pod-b")
    .find(({ local, state }) => local.endsWith(":0050") && state === "01")
    ?.remote.split(":")[0];
  for (let piece = 0; piece < PIECES; piece++) {
    await talk(client.stdin, `${MARKER.repeat(PIECE / MARKER.length)}\n`);
    capture.read();
  }
  const keys = nodes.map((node) => node.keyInUse);
  published.delete("a"); // as a person who removes the annotation
  await settle();
  await talk(client.stdin, `after ${MARKER}\n`);
  capture.read();
  const encryption = {
    same: echoed === sent,
    seenBy,
    rotated: nodes.map((node, index) => node.keyInUse !== keys[index]),
    handshakes: nodes.map((node) =>
      node.status()?.peers.map(({ handshakeSecondsAgo }) => handshakeSecondsAgo !== null),
    ),
    wire: capture.summary(MARKER),
    podMtu: a.podMtu,
    refused: nodes.map((node) => node.refused()),
  };
  writeSync(1, `${JSON.stringify({ encryption })}\n`);
}

/** Written by the client, and back from the server. */
async function talk(to: Writable, text: string): Promise<void> {
  to.write(text);
  sent += text;
  await until(() => echoed.length >= sent.length);
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

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    capture.read();
    await pause(20);
  }
}
