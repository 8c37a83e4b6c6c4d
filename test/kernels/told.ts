import { writeSync } from "node:fs";
import type { Finding } from "./findings.ts";

/** Prints it at once: the guest may end before a stream is empty. */
export function say(finding: Finding): void {
  writeSync(1, `${JSON.stringify(finding)}\n`);
}

/** Which connection was tried, what was seen of it, and what should have been. */
export function tell(connections: string, seen: string, expected: string): void {
  say({ connections, ...(seen !== expected && { failed: `${seen}\ninstead of\n${expected}` }) });
}
