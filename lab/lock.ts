import { once } from "node:events";
import { createConnection, createServer } from "node:net";
import { LabFailure } from "./failure.ts";

/** An abstract Unix socket (unix(7)): the kernel frees it when its holder dies, so a lock never outlives a kill -9. */
const lockAddress = (lab: string): string => `\0ebpf-dataplane/lab/${lab}`;

async function askHolder(lab: string): Promise<string> {
  const socket = createConnection(lockAddress(lab)).setEncoding("utf8").setTimeout(1000);
  let answer = "";
  socket.on("data", (text) => {
    answer += text;
  });
  socket.on("timeout", () => socket.destroy());
  await Promise.race([once(socket, "close"), once(socket, "error")]).catch(() => {});
  return answer || "another process";
}

/**
 * Does work while no other process works on the same lab.
 * @throws LabFailure at once when one does, saying which.
 */
export async function withLock<T>(lab: string, activity: string, work: () => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.end(`'${activity}' (process ${process.pid})`));
  server.listen(lockAddress(lab));
  try {
    await once(server, "listening");
  } catch {
    throw new LabFailure(`cannot begin '${activity}': ${await askHolder(lab)} is at work on lab ${lab}`, {
      next: "wait until it has ended, or end it, and try again",
    });
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
