import { once } from "node:events";
import { createConnection, createServer } from "node:net";

/** An abstract Unix socket (unix(7), Linux): the kernel frees it when its holder dies, so a lock never outlives a kill -9. */
const addressOf = (name: string): string => `\0ebpf-dataplane/${name}`;

/** Milliseconds to find out who holds a lock: the holder may be busy. */
const PATIENCE_MS = 5000;

/** The holder of a lock of this computer, as "'up' (process 12)"; undefined if nobody holds it. */
export async function lockHolder(name: string): Promise<string | undefined> {
  const socket = createConnection(addressOf(name)).setEncoding("utf8").setTimeout(PATIENCE_MS);
  let answer = "";
  socket.on("data", (text) => {
    answer += text;
  });
  socket.on("timeout", () => socket.destroy());
  const refused = await once(socket, "close").then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED",
  );
  return refused ? undefined : answer || "another process";
}

/**
 * Runs an operation while no other process of this computer holds the lock.
 * @param activity what others are told of the holder, with its process
 * @param inUse the error that is thrown immediately if another one does
 */
export async function whileLocked<T>(
  name: string,
  activity: string,
  inUse: (holder: string) => Error,
  work: () => Promise<T>,
): Promise<T> {
  const server = createServer((socket) => socket.end(`'${activity}' (process ${process.pid})`));
  server.listen(addressOf(name));
  try {
    await once(server, "listening");
  } catch {
    throw inUse((await lockHolder(name)) ?? "another process");
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
