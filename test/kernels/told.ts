import { writeSync } from "node:fs";
import type { Finding } from "./findings.ts";

/** Prints it at once: the guest may end before a stream is empty. */
export function say(finding: Finding): void {
  writeSync(1, `${JSON.stringify(finding)}\n`);
}

/** What was seen, and what should have been. */
export function tell(kind: "connections" | "cards", title: string, seen: string, expected: string): void {
  const failed = seen === expected ? {} : { failed: `${seen}\ninstead of\n${expected}` };
  say(kind === "cards" ? { cards: title, ...failed } : { connections: title, ...failed });
}
