// Serves the metrics. A client that reaches the port must not be able to keep the agent busy: the server answers on few connections,
// rarely, and at little cost.
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { listening } from "../process/listening.ts";
import type { Logger } from "./log.ts";
import type { AgentMetrics } from "./metrics.ts";
import { SecretFiles } from "./secret-files.ts";

/** Where metrics are served, and which clients may read them. */
export interface MetricsEndpoint {
  /** Address, or "any". */
  readonly address: string;
  readonly port: number;
  /** Folder with tls.crt and tls.key. Absent: plain HTTP. */
  readonly tls?: string | undefined;
  /** File with the token that clients send (`Authorization: Bearer …`). Absent: every client is answered. */
  readonly token?: string | undefined;
}

/** Tests have one of their own. */
interface Clock {
  now?: () => number;
  readAgainMs?: number;
  connectionMs?: number;
}

/** How soon a new certificate or token is used: ms. */
const READ_AGAIN_MS = 5_000;
/** Scrapes within this time share one answer, so that frequent scrapes cost nothing: ms. */
const ANSWER_MS = 1_000;
const CONNECTIONS = 16;
/** New connections a second, on average: a TLS handshake costs more than an answer. */
const CONNECTIONS_PER_SECOND = 20;
const REQUESTS_PER_CONNECTION = 8;
/** How long a client may take for a request, and for a handshake: ms. */
const PATIENCE_MS = 10_000;
/** How old a connection may become, including one whose answers the client does not read: ms. */
const CONNECTION_MS = 30_000;

/** In place of an address: all addresses of the node, of both families if its kernel has IPv6. */
const ANY = "any";

/** Serves /metrics in Prometheus' text format. A scrape that fails is answered with 500. */
export async function serveMetrics(
  { registry }: AgentMetrics,
  endpoint: MetricsEndpoint,
  log: Logger,
  { now = () => performance.now(), readAgainMs = READ_AGAIN_MS, connectionMs = CONNECTION_MS }: Clock = {},
): Promise<Server> {
  const { address, port, token } = endpoint;
  let last: { at: number; text: Promise<string> } | undefined;
  const answer = () => {
    if (!last || now() - last.at > ANSWER_MS) last = { at: now(), text: registry.metrics() };
    return last.text;
  };
  const secrets = new SecretFiles(log, readAgainMs);
  const isAllowed = token === undefined ? () => true : bearerCheck(token, secrets);
  const server = serverOf(endpoint, secrets, (request, response) => {
    response.on("finish", () => endUnread(request));
    if (request.method !== "GET") return refuse(response, 405, "Only GET is answered.");
    if (request.url !== "/metrics") return refuse(response, 404, "Available: /metrics.");
    if (!isAllowed(request.headers.authorization)) {
      response.setHeader("www-authenticate", "Bearer");
      return refuse(response, 401, "The token of these metrics is needed.");
    }
    answer().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (error) => {
        last = undefined;
        refuse(response, 500, `Cannot read the metrics: ${error instanceof Error ? error.message : error}`);
      },
    );
  });
  server.maxConnections = CONNECTIONS;
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.prependListener("connection", seldom(CONNECTIONS_PER_SECOND, now));
  server.on("connection", (socket: Socket) => endAfter(connectionMs, socket));
  server.on("close", () => secrets.end());
  return listening(server, { ...(address !== ANY && { host: address }), port });
}

function serverOf({ tls }: MetricsEndpoint, secrets: SecretFiles, listener: RequestListener): Server {
  const limits = { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS, connectionsCheckingInterval: 1_000 };
  if (tls === undefined) return createServer(limits, listener);
  // Until there is a certificate no handshake succeeds.
  const server = createTlsServer({ ...limits, handshakeTimeout: PATIENCE_MS, minVersion: "TLSv1.2" }, listener);
  secrets.follow("the certificate of the metrics", [`${tls}/tls.crt`, `${tls}/tls.key`], ([cert, key]) => {
    const context = { cert, key, minVersion: "TLSv1.2" } as const;
    createSecureContext(context); // throws for what is no pair; the former one stays then
    server.setSecureContext(context);
  });
  return server as unknown as Server;
}

/** Whether a header has the token that is in the file now. */
function bearerCheck(path: string, secrets: SecretFiles): (header: string | undefined) => boolean {
  let expected: Buffer | undefined;
  secrets.follow("the token of the metrics", [path], ([text = ""]) => {
    if (text.trim() === "") throw new Error(`${path} is empty`);
    expected = digest(`Bearer ${text.trim()}`);
  });
  return (header) => expected !== undefined && header !== undefined && timingSafeEqual(digest(header), expected);
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { connection: "close" }).end(`${sentence}\n`);
}

/** The rest of a request that was answered is not read. */
function endUnread(request: IncomingMessage): void {
  if (!request.complete) request.destroy();
}

function endAfter(ms: number, socket: Socket): void {
  const late = setTimeout(() => socket.destroy(), ms).unref();
  socket.once("close", () => clearTimeout(late));
}

/** Ends connections beyond so many a second. */
function seldom(perSecond: number, now: () => number): (socket: Socket) => void {
  let [left, at] = [perSecond, now()];
  return (socket) => {
    const passed = now() - at;
    left = Math.min(perSecond, left + (passed / 1000) * perSecond);
    at += passed;
    if (left < 1) return void socket.destroy();
    left--;
  };
}
