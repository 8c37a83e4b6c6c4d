import { STATUS_CODES } from "node:http";
import { ApiRefusal, type Attempt } from "./errors.ts";

/** Characters of a proxy's text that are quoted. */
const LONGEST = 300;

/** The Kubernetes API's Status object, as far as it is read. */
interface Status {
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

/**
 * Reads an error answer: the API server's Status, or whatever a proxy in between wrote.
 * @param fault what is wrong with the request, which the answer does not say
 */
export function refusalOf(
  attempt: Attempt,
  status: number,
  retryAfter: string | undefined,
  body: string,
  fault?: string,
): ApiRefusal {
  const { reason = "", message, details } = readStatus(body);
  const said = (message && printable(message)) || plain(body) || STATUS_CODES[status] || `HTTP status ${status}`;
  const words = fault === undefined ? said : `${said}: ${fault}`;
  const retryAfterMs = milliseconds(retryAfter ?? details?.retryAfterSeconds?.toString());
  return new ApiRefusal(status, reason, words, { attempt, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

function readStatus(body: string): Status {
  try {
    const { reason, message, details } = JSON.parse(body) as Record<keyof Status, unknown>;
    return {
      ...(typeof reason === "string" && { reason }),
      ...(typeof message === "string" && { message }),
      ...(typeof details === "object" && details !== null && { details }),
    };
  } catch {
    return {};
  }
}

/** The text of a page, on one line. */
function plain(body: string): string {
  const text = /^\s*</.test(body) ? body.replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, " ") : body;
  return printable(text).replace(/\s+/g, " ").trim().slice(0, LONGEST);
}

/** Without control characters, which a terminal would obey: anything in between can write an answer. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]+/gu, " ");
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. */
function milliseconds(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const wait = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
