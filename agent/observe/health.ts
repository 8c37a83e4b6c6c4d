import { createServer, type RequestListener, type Server } from "node:http";
import { patiently } from "../../kubernetes/patience.ts";

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

/** The kernel may close the sockets of an agent that was killed only after its end was told, when the next one has begun. */
const PREDECESSOR_MS = 10_000;

/** Starts a server. Waits for a port that is in use; if it still is after a while, rejects, naming it. */
export async function listening<S extends Server>(
  server: S,
  at: { host?: string; port: number },
  patienceMs = PREDECESSOR_MS,
): Promise<S> {
  let fail = (_: Error) => {};
  server.on("error", (error) => fail(error)); // also later: a connection that cannot be accepted ends no agent
  const begun = () =>
    new Promise<void>((resolve, reject) => {
      fail = reject;
      server.listen(at, resolve);
    });
  const isInUse = (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE";
  try {
    await patiently(begun, { limitMs: (error) => (isInUse(error) ? patienceMs : 0), everyMs: 100 });
  } catch (error) {
    throw new Error(`Cannot listen on port ${at.port}: ${(error as Error).message}.`);
  }
  return server;
}
