import { createServer, type RequestListener, type Server } from "node:http";
import { listening } from "../process/listening.ts";

/** A brief failure is repaired by the next attempt; only a lasting one is reported. */
const LASTING_MS = 30_000;

/** Whether this node's agent is ready, and otherwise what it waits for, in readable form. */
export class Health {
  #reason: string | undefined = "the agent is starting";
  readonly #failing = new Map<string, { readonly reason: string; readonly since: number }>();
  readonly #now: () => number;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  waitsFor(reason: string): void {
    this.#reason = reason;
  }

  isReady(): void {
    this.#reason = undefined;
  }

  /** Records whether something fails at the moment, identified by `key`. A lasting failure makes the node unready until
   * it is resolved. */
  is(reason: string, failing: boolean, key = reason): void {
    if (failing) this.#failing.set(key, { reason, since: this.#failing.get(key)?.since ?? this.#now() });
    else this.#failing.delete(key);
  }

  reasons(): string[] {
    const lasting = [...this.#failing.values()].filter(({ since }) => this.#now() - since >= LASTING_MS);
    return [...(this.#reason === undefined ? [] : [this.#reason]), ...lasting.map(({ reason }) => reason)];
  }
}

/** /live: the event loop runs. /ready: nothing is missing; otherwise 503 with one reason per line. */
export function serveHealth(health: Health, port: number): Promise<Server> {
  return listen({ host: "127.0.0.1", port }, (request, response) => {
    if (request.url === "/live") return void response.writeHead(200).end("alive\n");
    if (request.url !== "/ready") return void response.writeHead(404).end("Available: /live and /ready.\n");
    const reasons = health.reasons();
    response
      .writeHead(reasons.length === 0 ? 200 : 503)
      .end(reasons.length === 0 ? "ready\n" : `${reasons.join("\n")}\n`);
  });
}

function listen(at: { host: string; port: number }, listener: RequestListener): Promise<Server> {
  return listening(createServer(listener), at);
}
