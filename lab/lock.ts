import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { LabFailure } from "./failure.ts";

/** An abstract Unix socket (unix(7)): the kernel frees it when its holder dies, so a lock never outlives a kill -9. */
const lockAddress = (lab: string): string => `\0ebpf-dataplane/lab/${lab}`;

/** Milliseconds to find out who holds a lab's lock: the holder may be busy. */
const PATIENCE_MS = 5000;

/** The holder of a lab's lock, as "'up' (process 12)"; undefined if nobody holds it. */
export async function holderOf(lab: string): Promise<string | undefined> {
  const socket = createConnection(lockAddress(lab)).setEncoding("utf8").setTimeout(PATIENCE_MS);
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
 * Runs an operation while no other process uses the same lab.
 * @throws LabFailure immediately if one does, naming it.
 */
export async function withLock<T>(lab: string, activity: string, work: () => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.end(`'${activity}' (process ${process.pid})`));
  server.listen(lockAddress(lab));
  try {
    await once(server, "listening");
  } catch {
    throw new LabFailure(
      `cannot begin '${activity}': ${(await holderOf(lab)) ?? "another process"} is using lab ${lab}`,
      {
        next: "wait until it ends, or end it, then try again",
      },
    );
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
