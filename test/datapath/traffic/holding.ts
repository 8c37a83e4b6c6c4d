import type { ChildProcess } from "node:child_process";
import { type BareCluster, until } from "../cluster/bare-cluster.ts";
import type { ClientName, NodeName } from "../cluster/objects.ts";
import { networkOf, type Placed } from "../cluster/placed.ts";

type Machine = NodeName | ClientName;

export const inPod = (pod: Placed, command: string[]): string[] => [
  "nsenter",
  `--net=/run/netns/${networkOf(pod)}`,
  ...command,
];

// Holds a connection open and reports its end. Sends more often than the next hop expires (bpf/connection/next_hop.h).
const holder = `
  const socket = require("node:net").connect({ host: process.argv[1], port: +process.argv[2], localPort: +process.argv[3] });
  socket.on("connect", () => console.log("connected"));
  socket.on("error", (error) => console.log("error " + error.code));
  socket.on("close", () => console.log("closed"));
  socket.on("data", () => console.log("echo"));
  setInterval(() => socket.write("still here\\n"), 20);`;

export interface Held {
  /** Its state: "connected", "error ECONNRESET", "closed". */
  readonly lines: string[];
  echoed: number;
  /** The kernel's word for the state that it is in: "SYN-SENT", "ESTAB"; undefined: there is no such socket. */
  state(): Promise<string | undefined>;
  /** For how long the kernel has received nothing on it, in ms; undefined: it is closed. */
  silentMs(): Promise<number | undefined>;
}

/** Holds a connection to an echo server open, from a machine or a pod. */
export function hold(cluster: BareCluster, to: string, localPort: number, from: Placed | Machine = "client1"): Held {
  const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(to) ?? [];
  const command = [process.execPath, "-e", holder, host, port, String(localPort)];
  const [machine, enter] = typeof from === "string" ? ([from, []] as const) : ([from.node, inPod(from, [])] as const);
  const child = cluster.spawn(machine, [...enter, ...command]);
  const socket = [...enter, "ss", "-Htin", "state", "established", "sport", "=", `:${localPort}`];
  const silentMs = async () => {
    const shown = await cluster.run(machine, socket);
    return shown.trim() ? Number(/\blastrcv:(\d+)/.exec(shown)?.[1] ?? 0) : undefined; // ss omits a zero
  };
  const state = async () => {
    const shown = await cluster.run(machine, [...enter, "ss", "-Htan", "sport", "=", `:${localPort}`]);
    return shown.trim().split(/\s+/)[0] || undefined;
  };
  const held: Held = { lines: [], echoed: 0, state, silentMs };
  child.stdout?.on("data", (text: Buffer) => {
    for (const line of text.toString().trim().split("\n"))
      if (line === "echo") held.echoed++;
      else held.lines.push(line);
  });
  return held;
}

/**
 * Whether a connection that begins now gets no answer. One to an open port that begins when its first packet is on the way follows it on the same
 * wires: once that one is echoed, the answer to the first would have arrived.
 */
export async function staysUnanswered(
  cluster: BareCluster,
  [to, open]: readonly [to: string, open: string],
  localPort: number,
  from: Machine,
): Promise<boolean> {
  const asked = hold(cluster, to, localPort, from);
  await until(
    "its first packet",
    async () => asked.lines.length > 0 || (await asked.state()) !== undefined,
    () => asked.lines.join("\n"),
  );
  const later = hold(cluster, open, localPort + 1, from);
  await until(
    "an answer to a later connection",
    async () => later.echoed > 0,
    () => later.lines.join("\n"),
  );
  return (await asked.state()) === "SYN-SENT";
}

// Opens ten connections a second, up to MOST, sends on all of them, and reports how many have opened, and how they ended.
const MOST = 400;
const opener = `
  const { connect } = require("node:net");
  const [host, port] = process.argv.slice(1);
  const seen = { tried: 0, opened: 0, ended: {} };
  const ends = (how) => { seen.ended[how] = (seen.ended[how] ?? 0) + 1; };
  setInterval(() => {
    if (seen.tried >= ${MOST}) return;
    seen.tried++;
    const socket = connect({ host, port: +port });
    socket.on("connect", () => seen.opened++);
    socket.on("error", ({ code }) => ends(code));
    socket.on("end", () => ends("closed"));
    socket.on("data", () => {});
    setInterval(() => socket.write("still here\\n"), 300);
  }, 100);
  setInterval(() => console.log(JSON.stringify(seen)), 500);`;

interface Seen {
  readonly opened: number;
  /** How many, by the reason. */
  readonly ended: Readonly<Record<string, number>>;
}

/** Connections to an echo server that client1 keeps opening, and keeps open. */
export class MoreHeld {
  readonly #child: ChildProcess;
  #seen: Seen = { opened: 0, ended: {} };

  constructor(cluster: BareCluster, to: string) {
    this.#child = cluster.spawn("client1", [process.execPath, "-e", opener, ...to.split(":")]);
    this.#child.stdout?.on("data", (text: Buffer) => {
      this.#seen = JSON.parse(text.toString().trim().split("\n").at(-1) as string) as Seen;
    });
  }

  /** Waits until others have opened, so that those of before have sent meanwhile. */
  async goOn(): Promise<void> {
    const { opened } = this.#seen;
    await until("more connections", async () => this.#seen.opened >= Math.min(opened + 10, MOST));
  }

  /** @returns those that have ended before */
  end(): Seen["ended"] {
    this.#child.kill("SIGKILL");
    return this.#seen.ended;
  }
}

/** Waits until the connection carries something, changes what allows it, and fails unless it ends within a second of `isInForce` for others.
 * The kernel says when the last packet came: programs learn of it when they get a processor. */
export async function expectToEnd(held: Held, change: () => void, isInForce: () => Promise<boolean>): Promise<void> {
  await until(
    "an echo",
    async () => held.echoed > 0,
    () => held.lines.join("\n"),
  );
  if ((await held.silentMs()) === undefined) throw new Error("the kernel does not show the connection");
  change();
  await until("the change", isInForce);
  const [changed, echoed] = [performance.now(), held.echoed];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const asked = performance.now();
  const late = asked - ((await held.silentMs()) ?? Number.POSITIVE_INFINITY) - changed;
  if (late > 1000) throw new Error(`the connection went on for ${late} ms, and echoed ${held.echoed - echoed} times`);
}
