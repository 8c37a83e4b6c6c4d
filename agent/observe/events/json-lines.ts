import type { ServerResponse } from "node:http";

/** Bytes that are buffered for a slow reader; it loses events beyond that. */
const PATIENCE = 1 << 20;

/** Begins an answer of one JSON object per line. @param lost returns the line that says how many were lost, which comes before the next
 * one; absent: losses are not reported @returns a function that writes one line */
export function jsonLines(response: ServerResponse, lost?: (number: number) => object): (line: object) => void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  let missing = 0;
  return (line) => {
    if (response.writableLength >= PATIENCE) {
      missing++;
      return;
    }
    if (missing > 0 && lost) response.write(`${JSON.stringify(lost(missing))}\n`);
    missing = 0;
    response.write(`${JSON.stringify(line)}\n`);
  };
}
