import type { Outcome } from "./batch.ts";

/** The connection was refused: a reset, or an ICMP unreachable as connect(2), ip(7) and icmp(7) report it. */
const rejections = new Set([
  "ECONNREFUSED",
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOPROTOOPT",
  "EACCES",
  "EPERM",
  "EPIPE",
  "EHOSTDOWN",
  "ENONET",
]);

/** The verdict of an error before any answer; an error of this side only (a busy local port) gives none. */
export function resultOfError(error: NodeJS.ErrnoException): Outcome {
  const code = error.code ?? error.message;
  if (rejections.has(code)) return { verdict: "rejected", error: code };
  if (code === "ETIMEDOUT") return { verdict: "dropped", error: code };
  return { verdict: "none", error: error.message };
}

/** The local port is still held by a connection of ours that is closing; trying again shortly helps. */
export function isPortBusy(outcome: Outcome): boolean {
  return outcome.verdict === "none" && /EADDRINUSE|EADDRNOTAVAIL/.test(outcome.error ?? "");
}
