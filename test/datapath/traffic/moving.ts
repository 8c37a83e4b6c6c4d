// Flows of a client that go on while the route to the service's address moves from one node to another.
import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";

// Each sends more often than the next hop expires (bpf/connection/next_hop.h). Prints how many answers each flow has had, and what ended.
const holder = `
  const { connect } = require("node:net"), { createSocket } = require("node:dgram");
  const [host, count, tcp, udp] = [process.argv[1], +process.argv[2], +process.argv[3], +process.argv[4]];
  const answers = { tcp: Array(count).fill(0), udp: Array(count).fill(0), servers: Array(count).fill(""), ended: [] };
  for (let at = 0; at < count; at++) {
    const socket = connect({ host, port: tcp });
    socket.on("error", (error) => answers.ended.push("tcp " + error.code));
    socket.on("close", () => answers.ended.push("tcp closed"));
    socket.on("data", () => answers.tcp[at]++);
    const datagrams = createSocket(host.includes(":") ? "udp6" : "udp4");
    datagrams.on("error", (error) => answers.ended.push("udp " + error.code));
    datagrams.on("message", (text) => {
      answers.udp[at]++;
      const { server } = JSON.parse(text);
      if (answers.servers[at] && answers.servers[at] !== server) answers.ended.push("udp moved to " + server);
      answers.servers[at] = server;
    });
    setInterval(() => { socket.write("still here\\n"); datagrams.send("t", udp, host); }, 40);
  }
  setInterval(() => console.log(JSON.stringify(answers)), 100);`;

export interface Flows {
  readonly tcp: readonly number[];
  readonly udp: readonly number[];
  /** Who answers the datagrams of each flow. */
  readonly servers: readonly string[];
  /** What must not have happened. */
  readonly ended: readonly string[];
}

/** Opens `count` TCP connections and as many UDP flows from client1 or a pod, to ports whose servers keep connections and answer datagrams.
 * @returns what is seen of them so far */
export function holdFlows(
  cluster: BareCluster,
  host: string,
  count: number,
  ports = { tcp: 82, udp: 80 },
  from?: Placed,
): () => Flows | undefined {
  const argv = [process.execPath, "-e", holder, ...[host, count, ports.tcp, ports.udp].map(String)];
  const child = from ? cluster.spawn(from.node, inPod(from, argv)) : cluster.spawn("client1", argv);
  let [rest, last]: [string, Flows | undefined] = ["", undefined];
  child.stdout?.on("data", (text: Buffer) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    const line = lines.at(-1);
    if (line) last = JSON.parse(line);
  });
  return () => last;
}

/** Whether every flow, or those of one protocol, has had more than `many` further answers since `before`. */
export function allGoOn(
  before: Flows,
  now: Flows | undefined,
  many = 3,
  protocols: readonly ("tcp" | "udp")[] = ["tcp", "udp"],
): boolean {
  if (!now) return false;
  return protocols.every((protocol) => now[protocol].every((count, at) => count > (before[protocol][at] ?? 0) + many));
}
