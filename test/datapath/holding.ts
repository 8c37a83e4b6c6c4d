import { type BareCluster, until } from "./bare-cluster.ts";
import type { Placed } from "./placed.ts";

export const inPod = ({ name }: Placed, command: string[]): string[] => [
  "nsenter",
  `--net=/run/netns/${name}`,
  ...command,
];

// A server that keeps its connections and echoes, unlike the probe server.
const echo = `require("node:net").createServer((socket) => { socket.on("error", () => {}); socket.pipe(socket); }).listen(82);`;

/** Listens on port 82. */
export const echoServer: string[] = [process.execPath, "-e", echo];

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
  /** For how long the kernel has received nothing on it, in ms; undefined: it is closed. */
  silentMs(): Promise<number | undefined>;
}

/** Holds a connection to an echo server open, from client1 or a pod. */
export function hold(cluster: BareCluster, to: string, localPort: number, from?: Placed): Held {
  const [host = "", port = ""] = to.split(":");
  const command = [process.execPath, "-e", holder, host, port, String(localPort)];
  const [machine, enter] = from ? ([from.node, inPod(from, [])] as const) : (["client1", []] as const);
  const child = cluster.spawn(machine, [...enter, ...command]);
  const socket = [...enter, "ss", "-Htin", "state", "established", "sport", "=", `:${localPort}`];
  const silentMs = async () => {
    const shown = await cluster.run(machine, socket);
    return shown.trim() ? Number(/\blastrcv:(\d+)/.exec(shown)?.[1] ?? 0) : undefined; // ss omits a zero
  };
  const held: Held = { lines: [], echoed: 0, silentMs };
  child.stdout?.on("data", (text: Buffer) => {
    for (const line of text.toString().trim().split("\n"))
      if (line === "echo") held.echoed++;
      else held.lines.push(line);
  });
  return held;
}

/** Waits until the connection carries something, changes what allows it, and fails unless it ends within a second of `isInForce` for others.
 * The kernel says when the last packet came: programs learn of it when they get a processor. */
export async function expectToEnd(held: Held, change: () => void, isInForce: () => Promise<boolean>): Promise<void> {
  await until("an echo", async () => held.echoed > 0);
  if ((await held.silentMs()) === undefined) throw new Error("the kernel does not show the connection");
  change();
  await until("the change", isInForce);
  const [changed, echoed] = [performance.now(), held.echoed];
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const asked = performance.now();
  const late = asked - ((await held.silentMs()) ?? Number.POSITIVE_INFINITY) - changed;
  if (late > 1000) throw new Error(`the connection went on for ${late} ms, and echoed ${held.echoed - echoed} times`);
}
