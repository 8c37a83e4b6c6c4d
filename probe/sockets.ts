// What the kernel holds for sockets, from proc_net(5) `tcp`, `tcp6`, `udp` and `udp6` of a network namespace: whether bytes wait for a
// program that has not read them yet, and whether the other side has acknowledged all sent bytes.
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { nameOf, namespaceOf, type PodReference } from "./namespaces.ts";

export interface SocketState {
  protocol: "tcp" | "udp";
  localPort: number;
  remotePort: number;
  listening: boolean;
  /** Bytes sent and not acknowledged. */
  unacknowledged: number;
  /** Bytes received and not read; of a listening socket connections that are not accepted. */
  unread: number;
}

const FILES = { tcp: ["tcp", "tcp6"], udp: ["udp", "udp6"] } as const;
/** Numbers of the files; every file begins with its column heads. */
const SOCKET_FILES = (["tcp", "udp"] as const).flatMap((protocol) =>
  FILES[protocol].map((file) => ({ protocol, path: `/proc/self/net/${file}` })),
);
/** TCP_LISTEN of the kernel's net/tcp_states.h. */
const LISTEN = "0A";

/** A node's report of one of its pods. */
export interface PodSockets {
  /** NAMESPACE/NAME. */
  pod: string;
  sockets: SocketState[];
}

/** The sockets of pods of this node, each in its own network namespace; a pod without one there, or a deleted pod, is left out. */
export function socketsOfPods(pods: PodReference[], find: (pod: PodReference) => string = namespaceOf): PodSockets[] {
  const reading: ExecFileSyncOptionsWithStringEncoding = {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  };
  return pods.flatMap((pod) => {
    const sockets: SocketState[] = [];
    try {
      const enter = [`--net=${find(pod)}`, "--", "cat"];
      for (const { protocol, path } of SOCKET_FILES)
        sockets.push(...parseSockets(protocol, execFileSync("nsenter", [...enter, path], reading)));
    } catch {
      return [];
    }
    return [{ pod: nameOf(pod), sockets }];
  });
}

/** Reads one of the files' text. */
export function parseSockets(protocol: "tcp" | "udp", text: string): SocketState[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [, local = "", remote = "", state, queues = ""] = line.trim().split(/\s+/);
      const [sent = "", received = ""] = queues.split(":");
      const numbers = [portOf(local), portOf(remote), Number.parseInt(sent, 16), Number.parseInt(received, 16)];
      const [localPort = 0, remotePort = 0, unacknowledged = 0, unread = 0] = numbers;
      if (numbers.some(Number.isNaN)) return [];
      return [
        { protocol, localPort, remotePort, listening: protocol === "tcp" && state === LISTEN, unacknowledged, unread },
      ];
    });
}

const portOf = (address: string): number => Number.parseInt(address.split(":")[1] ?? "", 16);

/**
 * Whether the other side's kernel has acknowledged all that a connection of this network namespace has sent: then bytes have passed in
 * both directions, and the program there is silent. Found by the local port alone: a dataplane that translates at the socket has changed
 * the remote one.
 */
export function isAcknowledged(localPort: number): boolean {
  const connections = SOCKET_FILES.filter(({ protocol }) => protocol === "tcp")
    .flatMap(({ path }) => parseSockets("tcp", readText(path)))
    .filter((socket) => socket.localPort === localPort && !socket.listening);
  return connections.length > 0 && connections.every(({ unacknowledged }) => unacknowledged === 0);
}

/** Absent where the kernel has no IPv6. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
