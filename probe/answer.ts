/** A probe server's answer to every client: its identity, and the client's address that it saw. */
export interface Answer {
  /** `<namespace>/<pod>` of the server. */
  server: string;
  /** The address the server saw, IPv4-mapped IPv6 printed as IPv4. */
  source: string;
  /** The port the server saw. */
  sourcePort: number;
}

/** The one JSON line of an answer, newline included. */
export function answerLine(answer: Answer): string {
  const { server, source, sourcePort } = answer;
  return `${JSON.stringify({ server, source, sourcePort })}\n`;
}

/** The same line as the body of an HTTP/1.1 response. Unless the client asked to keep the connection, it is closed then. */
export function answerHttp(answer: Answer, { headOnly = false, keep = false } = {}): string {
  const body = answerLine(answer);
  const head = [
    "HTTP/1.1 200 OK",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Connection: ${keep ? "keep-alive" : "close"}`,
  ].join("\r\n");
  return `${head}\r\n\r\n${headOnly ? "" : body}`;
}

/** `::ffff:10.0.0.1` is how a dual-stack socket names an IPv4 peer (RFC 4291 section 2.5.5.2). */
export function plainAddress(address: string): string {
  return address.toLowerCase().startsWith("::ffff:") && address.includes(".")
    ? address.slice("::ffff:".length)
    : address.replace(/%.*$/, "");
}

/** A server's response as part of an outcome: a probe server's answer, or the first characters. */
export function describe(received: string): Partial<Answer> & { answer?: string; status?: number } {
  if (received === "") return {};
  const status = statusOf(received);
  return { ...(findAnswer(received) ?? { answer: received.slice(0, 200) }), ...(status !== undefined && { status }) };
}

/** The code of a status line (RFC 9112 section 4). */
function statusOf(received: string): number | undefined {
  const code = received.match(/^HTTP\/1\.[01] (\d{3})\b/)?.[1];
  return code === undefined ? undefined : Number(code);
}

/** Finds a probe server's answer in a response: a raw line, an HTTP body, or none. */
export function findAnswer(text: string): Answer | undefined {
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (!trimmed.startsWith("{")) continue;
    const parsed = parseLine(trimmed);
    if (parsed) return parsed;
  }
  return undefined;
}

function parseLine(line: string): Answer | undefined {
  try {
    const { server, source, sourcePort } = JSON.parse(line) as Partial<Answer>;
    if (typeof server !== "string" || typeof source !== "string" || typeof sourcePort !== "number") return undefined;
    return { server, source, sourcePort };
  } catch {
    return undefined;
  }
}
