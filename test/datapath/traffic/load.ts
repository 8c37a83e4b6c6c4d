import type { BareCluster } from "../cluster/bare-cluster.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";

// Connects again and again, `workers` times at once, and gives each connection `patience` ms to bring one byte back.
const asking = `
  const [host, port, workers, patience] = [process.argv[1], ...process.argv.slice(2).map(Number)];
  const counts = { tried: 0, accepted: 0, echoed: 0, failed: 0 };
  function next() {
    counts.tried++;
    const socket = require("node:net").connect({ host, port });
    const end = (how) => {
      if (socket.done) return;
      socket.done = true;
      clearTimeout(socket.limit);
      counts[how]++;
      socket.destroy();
      setTimeout(next, 5);
    };
    socket.limit = setTimeout(() => end("failed"), patience);
    socket.on("connect", () => { counts.accepted++; socket.write("x"); });
    socket.on("data", () => end("echoed"));
    socket.on("error", () => end("failed"));
  }
  for (let index = 0; index < workers; index++) next();
  process.stdin.on("data", () => console.log(JSON.stringify(counts)));`;

export interface Load {
  /** How many connections were tried, accepted by a server, brought a byte back, or ended without. */
  counts(): Promise<{ tried: number; accepted: number; echoed: number; failed: number }>;
  /** SYNs that the pod's kernel sent again, because nothing came back for a second. */
  repeated(): Promise<number>;
}

/** Load from a pod on an echo server. */
export function startLoad(
  cluster: BareCluster,
  from: Placed,
  to: string,
  { workers, patience }: { workers: number; patience: number },
): Load {
  const [host = "", port = ""] = to.split(":");
  const command = [process.execPath, "-e", asking, host, port, `${workers}`, `${patience}`];
  const child = cluster.spawn(from.node, inPod(from, command), "pipe");
  return {
    counts: () =>
      new Promise((resolve) => {
        child.stdout?.once("data", (text: Buffer) => resolve(JSON.parse(text.toString())));
        child.stdin?.write("\n");
      }),
    repeated: async () => {
      const text = await cluster.run(from.node, inPod(from, ["cat", "/proc/net/netstat"]));
      const [names = [], values = []] = text
        .split("\n")
        .filter((line) => line.startsWith("TcpExt:"))
        .map((line) => line.split(" "));
      return Number(values[names.indexOf("TCPSynRetrans")]);
    },
  };
}
