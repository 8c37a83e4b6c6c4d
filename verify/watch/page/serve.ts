import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Snapshot } from "./flow-map.ts";
import { html, policy } from "./html.ts";

/** How many browsers are served at a time, and how often they are updated. */
const MOST_READERS = 20;
const TELL_MS = 1000;
/** Bytes that wait for a browser; it misses snapshots beyond that. */
const PATIENCE = 1 << 20;

const HEADERS = {
  "content-security-policy": policy,
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
};

export interface ServedPage {
  /** With the secret that the server asks for. */
  readonly url: string;
  close(): void;
}

/** Serves the page on this computer only, to users who know its address. @param port 0: any free port */
export async function servePage(port: number, snapshot: () => Snapshot): Promise<ServedPage> {
  const token = randomBytes(16).toString("hex");
  const readers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, token, (server.address() as AddressInfo).port);
    if (refusal) return void response.writeHead(...refusal, HEADERS).end();
    const path = (request.url ?? "").slice(token.length + 2);
    if (path === "")
      return void response.writeHead(200, { ...HEADERS, "content-type": "text/html; charset=utf-8" }).end(html);
    if (path !== "events") return void response.writeHead(404, HEADERS).end();
    if (readers.size >= MOST_READERS) return void response.writeHead(503, HEADERS).end();
    response.writeHead(200, { ...HEADERS, "content-type": "text/event-stream" });
    response.write(eventOf(snapshot()));
    readers.add(response);
    response.once("close", () => readers.delete(response));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const timer = setInterval(() => {
    if (readers.size === 0) return;
    const event = eventOf(snapshot());
    for (const reader of readers) if (reader.writableLength < PATIENCE) reader.write(event);
  }, TELL_MS);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`,
    close: () => {
      clearInterval(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

// JSON has no line breaks of its own.
const eventOf = (snapshot: Snapshot) => `data: ${JSON.stringify(snapshot)}\n\n`;

/** A page of another site can send requests here too: it does not know the token, and under a name of its own (DNS rebinding) it has another Host. */
function refusalOf(
  { method, url = "", headers }: IncomingMessage,
  token: string,
  port: number,
): [number, string] | undefined {
  if (headers.host !== `127.0.0.1:${port}` && headers.host !== `localhost:${port}`) return [403, "Forbidden"];
  if (method !== "GET") return [405, "Method Not Allowed"];
  const [given, expected] = [Buffer.from(url.slice(0, token.length + 2)), Buffer.from(`/${token}/`)];
  return given.length === expected.length && timingSafeEqual(given, expected) ? undefined : [404, "Not Found"];
}
