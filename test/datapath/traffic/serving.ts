// Servers of a test: what connects once, or counts, must not come before they listen.
import type { ChildProcess } from "node:child_process";
import { type BareCluster, probeServer, until } from "../cluster/bare-cluster.ts";
import type { ClientName, NodeName } from "../cluster/objects.ts";
import type { Placed } from "../cluster/placed.ts";
import { inPod } from "./holding.ts";

/** "tcp:80". */
export type Listening = `${"tcp" | "udp"}:${number}`;

/** Starts a server in a machine's network or a pod's, and waits until it listens. It ends with the cluster. */
export async function serve(
  cluster: BareCluster,
  where: NodeName | ClientName | Placed,
  argv: string[],
  ...sockets: Listening[]
): Promise<ChildProcess> {
  const [machine, enter] = typeof where === "string" ? [where, []] : [where.node, inPod(where, [])];
  const child = cluster.spawn(machine, [...enter, ...argv]);
  let said = "";
  child.stderr?.on("data", (text: Buffer) => {
    said += text;
  });
  for (const socket of sockets) {
    const [protocol, port] = socket.split(":");
    const listening = ["ss", "-Hln", `--${protocol}`, "sport", "=", `:${port}`];
    await until(
      `a server at ${socket}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`The server at ${socket} ended with ${child.exitCode}: ${said}`);
        return (await cluster.run(machine, [...enter, ...listening])).trim() !== "";
      },
      () => said,
    );
  }
  return child;
}

// Keeps its connections and echoes, unlike the probe server.
const echo = `require("node:net").createServer((socket) => { socket.on("error", () => {}); socket.pipe(socket); }).listen(82);`;

/** An echo server on port 82 of a pod. */
export const serveEchoes = (cluster: BareCluster, pod: Placed): Promise<ChildProcess> =>
  serve(cluster, pod, [process.execPath, "-e", echo], "tcp:82");

/** The probe server, which answers with whom it saw, as the pod `name`. */
export function serveProbes(
  cluster: BareCluster,
  where: NodeName | ClientName | Placed,
  name: `${string}/${string}`,
  ...sockets: Listening[]
): Promise<ChildProcess> {
  const listens = (["tcp", "udp"] as const).flatMap((protocol) => {
    const ports = sockets.flatMap((socket) => (socket.startsWith(protocol) ? [socket.slice(4)] : []));
    return ports.length > 0 ? [`--${protocol}`, ports.join()] : [];
  });
  return serve(cluster, where, probeServer(name, ...listens), ...sockets);
}
