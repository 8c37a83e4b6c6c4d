import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";
import { listening } from "../process/listening.ts";

/** The most connections of all listeners together. For one more, the oldest is closed, so that clients that connect and send nothing do
 * not keep others out. */
const MOST_CONNECTIONS = 512;

/** ms. A health check is one short request. */
const PATIENCE = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
};

/** HTTP servers on all addresses of the node, in both families if the node has IPv6. */
export class Listeners {
  readonly #servers = new Map<number, Server>();
  readonly #sockets = new Set<Socket>();

  get ports(): readonly number[] {
    return [...this.#servers.keys()];
  }

  /** Rejects at once if the port is in use: the next pass tries again. */
  async open(port: number, answer: RequestListener): Promise<void> {
    const server = createServer(PATIENCE, answer);
    server.on("connection", (socket) => this.#connected(socket));
    this.#servers.set(port, await listening(server, { port }, 0));
  }

  /** Resolves when the port is free. */
  close(port: number): Promise<void> {
    const server = this.#servers.get(port);
    if (!server) return Promise.resolve();
    this.#servers.delete(port);
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #connected(socket: Socket): void {
    const [oldest] = this.#sockets;
    if (oldest && this.#sockets.size >= MOST_CONNECTIONS) {
      this.#sockets.delete(oldest); // at once: "close" comes later than the next connection of a burst
      oldest.destroy();
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }
}
