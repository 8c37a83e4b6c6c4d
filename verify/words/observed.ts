import type { Expectation } from "../../components/documents/check.ts";
import type { ProbeResult } from "../../probe/batch.ts";

/** The facts shown of one attempt. */
interface Shown {
  result: { verdict: ProbeResult; error?: string; status?: number; echoed?: number };
  source?: string;
  server?: string;
  throughEntry?: number;
  servedByEntry: boolean;
  /** Why its result is not known. */
  undecided?: string;
}

/** `allowed from 172.31.1.55, reply direct`; with several kinds of outcome, each with its number. */
export function tally({ reply, servers, spread, spreadAtMost, http, size }: Expectation, attempts: Shown[]): string {
  if (attempts.length === 0) return "not probed: no result came back";
  const words = attempts.map(({ result, source, server, throughEntry, servedByEntry, undecided }) => {
    if (undecided) return `undecided: ${undecided}`;
    const parts = [`${describeVerdict(result)}${source ? ` from ${source}` : ""}`];
    if ((servers || spread || spreadAtMost) && server) parts.push(`by ${server}`);
    if (size && result.echoed !== undefined) parts.push(`${result.echoed} bytes echoed`);
    if (http && result.status !== undefined) parts.push(`HTTP ${result.status}`);
    if (reply && throughEntry !== undefined) parts.push(replyWords(throughEntry, servedByEntry));
    return parts.join(", ");
  });
  return tallied(words).join("; ");
}

function describeVerdict({ verdict, error }: Shown["result"]): string {
  if (verdict === "none") return `not probed: ${error}`;
  return error && verdict !== "dropped" ? `${verdict} (${error})` : verdict;
}

function replyWords(throughEntry: number, servedByEntry: boolean): string {
  if (servedByEntry) return "reply direct (the server is on the entry node)";
  return throughEntry > 0 ? "reply via the entry node" : "reply direct";
}

/** Equal texts once, with their number where there are several texts or several times. */
export function tallied(texts: string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => (count > 1 ? `${count}× ${text}` : text));
}
