import type { ServerResponse } from "node:http";

/** Bytes that are buffered for a slow reader; it loses events beyond that. */
const PATIENCE = 1 << 20;

/** Begins an answer of one JSON object per line. @returns what writes one */
export function jsonLines(response: ServerResponse): (line: object) => void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  return (line) => {
    if (response.writableLength < PATIENCE) response.write(`${JSON.stringify(line)}\n`);
  };
}
