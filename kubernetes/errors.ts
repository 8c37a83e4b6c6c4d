// The one family of errors of this folder. Each says in its message what was attempted and at which API server.
import { STATUS_CODES } from "node:http";

/** Whatever went wrong between us and an API server. */
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
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, words: string, more: { attempt?: Attempt; retryAfterMs?: number } = {}) {
    super(sentence(status, words, more.attempt), { next: AFTER_STATUS[status] });
    this.status = status;
    this.reason = reason;
    this.words = words;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** No answer at all, or one that no API server gives. Worth another attempt. */
export class ApiUnreachable extends KubernetesError {
  override readonly name = "ApiUnreachable";

  constructor({ server, method, path }: Attempt, why: string, cause?: unknown) {
    super(`the API server ${server} does not answer ${method} ${path}: ${why}`, { next: nextAfter(cause), cause });
  }
}

/** A kubeconfig, or what it names, with which no request can be made. */
export class UnusableKubeconfig extends KubernetesError {
  override readonly name = "UnusableKubeconfig";
}

/** Whether an error says that the API server is away for now, rather than that it refuses. */
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

/** The reason first: others put in front what they wanted to do. */
function sentence(status: number, words: string, attempt?: Attempt): string {
  if (!attempt) return words;
  const { server, method, path } = attempt;
  const title = STATUS_CODES[status];
  const answer = title && title !== words ? `${status} ${title}` : status;
  return `${words} (${method} ${server}${path}: ${answer})`;
}

const AFTER_STATUS: Record<number, string | undefined> = {
  401: "renew the credentials of the kubeconfig's user, or log in again",
  403: "give the credentials of somebody who may do that, or ask the cluster's administrator for the right",
  429: "the API server has too much to do: try again later",
};

const NOT_TRUSTED =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|ERR_TLS_CERT_ALTNAME_INVALID)/;

function nextAfter(cause: unknown): string {
  const code = String((cause as NodeJS.ErrnoException | undefined)?.code ?? "");
  if (NOT_TRUSTED.test(code))
    return "compare certificate-authority and server in the kubeconfig with the cluster's own";
  if (/^E(NOTFOUND|AI_AGAIN)$/.test(code))
    return "look at the name of the server in the kubeconfig, and at this computer's DNS";
  return "see whether the API server runs and can be reached from here, through the proxy too if there is one";
}
