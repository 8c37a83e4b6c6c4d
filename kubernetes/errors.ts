// The errors of this folder: one family. Each message names the request and the API server.
import { STATUS_CODES } from "node:http";

/** Anything that went wrong between this process and an API server. */
export class KubernetesError extends Error {
  override readonly name: string = "KubernetesError";
  /** What a person can do about it. */
  readonly next: string | undefined;

  constructor(message: string, { next, cause }: { next?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.next = next;
  }
}

/** A request, as far as a message names it. */
export interface Attempt {
  /** URL of the API server. */
  readonly server: string;
  readonly method: string;
  readonly path: string;
}

/** An answer of the API server, or of a proxy before it, that is not a success. */
export class ApiRefusal extends KubernetesError {
  override readonly name = "ApiRefusal";
  /** The status of HTTP. */
  readonly status: number;
  /** One word, such as "NotFound"; empty where the answer was not an API server's. */
  readonly reason: string;
  /** The server's own explanation. */
  readonly words: string;
  /** Milliseconds to wait before the next attempt, if the server says so. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, words: string, more: { attempt?: Attempt; retryAfterMs?: number } = {}) {
    super(sentence(status, words, more.attempt), { next: AFTER_STATUS[status] ?? (reason ? undefined : NOT_ONE) });
    this.status = status;
    this.reason = reason;
    this.words = words;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** No answer, or one that does not come from an API server. Another attempt may succeed. */
export class ApiUnreachable extends KubernetesError {
  override readonly name = "ApiUnreachable";

  constructor({ server, method, path }: Attempt, why: string, cause?: unknown) {
    super(`the API server ${server} does not answer ${method} ${path}: ${why}`, { next: nextAfter(cause), cause });
  }
}

/** The kubeconfig, or a file or program that it names, cannot be used. */
export class UnusableKubeconfig extends KubernetesError {
  override readonly name = "UnusableKubeconfig";
}

/** Whether the API server is temporarily unavailable, rather than refusing the request. */
export function isAway(error: unknown): error is ApiUnreachable | ApiRefusal {
  return (
    error instanceof ApiUnreachable || (error instanceof ApiRefusal && (error.status === 429 || error.status >= 500))
  );
}

/** Whether the API server refused with one of these statuses. */
export function isRefusal(error: unknown, ...statuses: number[]): error is ApiRefusal {
  return error instanceof ApiRefusal && statuses.includes(error.status);
}

/** An error with its next step, in one line. */
export function withNext({ message, next }: KubernetesError): string {
  return next ? `${message}. Next: ${next}.` : message;
}

/** Why something failed, for a sentence that already names what was attempted: of a refusal only the server's own words. */
export function reasonOf(error: unknown): string {
  if (error instanceof ApiRefusal) return error.words;
  return error instanceof Error ? error.message : String(error);
}

/** The reason comes first, because callers put what they attempted in front. */
function sentence(status: number, words: string, attempt?: Attempt): string {
  if (!attempt) return words;
  const { server, method, path } = attempt;
  const title = STATUS_CODES[status];
  const answer = title && title !== words ? `${status} ${title}` : status;
  return `${words} (${method} ${server}${path}: ${answer})`;
}

const NOT_ONE = "check server in the kubeconfig: what answers there may be no API server, or a proxy before it";

const AFTER_STATUS: Record<number, string | undefined> = {
  401: "renew the credentials of the kubeconfig's user, or log in again",
  403: "use the credentials of a user who may do this, or ask the cluster's administrator for permission",
  429: "the API server is overloaded: try again later",
};

const NOT_TRUSTED =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** What OpenSSL says of a peer, without its own places: "wrong version number" of "write EPROTO 40…:error:0A00010B:SSL routines:…". */
const OPENSSL = /\berror:[0-9A-F]{8}:SSL routines:[^:]*:([^:]+)/;

/** Why there is no answer. */
export function whyOf({ message, code }: NodeJS.ErrnoException): string {
  if (message === "aborted") return "the connection was cut in the middle of the answer";
  const [, said] = OPENSSL.exec(message) ?? [];
  if (said === undefined) return message || code || "nobody says why";
  return said === "wrong version number" ? "what answers there does not speak TLS" : `TLS failed: ${said}`;
}

function nextAfter(cause: unknown): string {
  const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? "");
  if (code === "EPROTO") return NOT_ONE;
  if (NOT_TRUSTED.test(code)) return "check certificate-authority and server in the kubeconfig against the cluster's";
  if (/^E(NOTFOUND|AI_AGAIN)$/.test(code)) return "check the server's name in the kubeconfig, and this computer's DNS";
  return "check that the API server is running and reachable from this computer, and the proxy if there is one";
}
