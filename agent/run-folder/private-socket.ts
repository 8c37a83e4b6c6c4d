import { rmSync } from "node:fs";
import type { Server } from "node:http";

/** Listens at a Unix socket that only root can use. Call it as the node's only agent (lock): an existing socket belongs to
 * an agent that was killed. */
export function listenPrivately(server: Server, socket: string): Promise<Server> {
  rmSync(socket, { force: true });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    const before = process.umask(0o177);
    server.listen(socket, () => resolve(server));
    process.umask(before);
  });
}
