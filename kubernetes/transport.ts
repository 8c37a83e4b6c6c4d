// One request to the API server and its answer. The verbs are functions in files beside this one: a part that must not delete does not
// import delete.ts. Objects are passed on as they are: a typed client would drop unknown fields before the API server can reject them.
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Access } from "./access.ts";
import { ApiUnreachable, KubernetesError, UnusableKubeconfig, whyOf } from "./errors.ts";
import { whyNotValid } from "./expiry.ts";
import { printable, refusalOf } from "./refusal.ts";

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the API server's URL: `/api/v1/pods`. */
  path: string;
  query?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Of the body, when it is not plain JSON. */
  contentType?: string;
  /** Ends the request; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds without a byte after which the request has failed. */
  silenceMs?: number;
}

/** What the verbs need; tests provide their own. */
export interface Api {
  /** URL, for people. */
  readonly server: string;
  /** @returns the body of a successful answer. @throws KubernetesError */
  send(request: ApiRequest): Promise<string>;
}

/** What a watch needs in addition. */
export interface StreamingApi extends Api {
  /** Resolves when a successful answer begins, with its text in pieces. @throws KubernetesError, also while iterating */
  stream(request: ApiRequest): Promise<AsyncIterable<string>>;
}

const ANSWER_MS = 30_000;
/** Characters that are read of an error's body. */
const LONGEST_REFUSAL = 1_000_000;
/** How long an idle connection is kept: shorter than servers and proxies keep it, so that they do not close it under a request. */
const IDLE_MS = 4_000;
const KEPT = { keepAlive: true, timeout: IDLE_MS };

/** The API server of an `Access`. */
export class ApiServer<A extends Access = Access> implements StreamingApi {
  readonly access: A;
  readonly #answerMs: number;
  readonly #agents = { "http:": new HttpAgent(KEPT), "https:": new Agent(KEPT) };

  /** @param answerMs default of `silenceMs` */
  constructor(access: A, answerMs = ANSWER_MS) {
    this.access = access;
    this.#answerMs = answerMs;
  }

  get server(): string {
    return this.access.server;
  }

  async send(request: ApiRequest): Promise<string> {
    let body = "";
    for await (const piece of await this.stream(request)) body += piece;
    return body;
  }

  async stream(request: ApiRequest): Promise<AsyncIterable<string>> {
    let options = await this.access.options();
    let answer = await this.#answer(request, options);
    if (answer.statusCode === 401 && this.access.renew) {
      // Expired or revoked early: try once more, as kubectl does.
      answer.resume();
      this.access.renew(options);
      options = await this.access.options();
      answer = await this.#answer(request, options);
    }
    const pieces = this.#pieces(request, answer);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return pieces;
    let body = "";
    for await (const piece of pieces) {
      body += piece;
      if (body.length > LONGEST_REFUSAL) break; // ends the connection too
    }
    const fault = status === 401 ? whyNotValid(options) : undefined;
    throw refusalOf(this.#attempt(request), status, answer.headers["retry-after"], body, fault);
  }

  /**
   * A server that restarts may close a reused connection just when a request is sent on it. Such a request is sent again, unless it creates
   * something.
   */
  async #answer(request: ApiRequest, options: RequestOptions): Promise<IncomingMessage> {
    try {
      return await this.#exchange(request, options);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (error instanceof StaleConnection && request.method !== "POST")
        return this.#answer(request, { ...options, agent: false });
      if (error instanceof KubernetesError) throw error;
      throw this.#unreachable(request, error);
    }
  }

  #exchange(request: ApiRequest, given: RequestOptions): Promise<IncomingMessage> {
    const { method, path, query = {}, body, contentType = "application/json", signal } = request;
    const url = new URL(this.server.replace(/\/$/, "") + path);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string | number> = { ...given.headers, Accept: "application/json" } as never;
    if (text !== undefined) {
      headers["Content-Type"] = contentType;
      // Node frames the body of a DELETE only when its length is given.
      headers["Content-Length"] = Buffer.byteLength(text);
    }
    const agent = given.agent ?? this.#agents[url.protocol as "http:" | "https:"];
    const timeout = request.silenceMs ?? this.#answerMs;
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const sent = sending(this.server, () =>
        send(url, { ...given, method, headers, agent, timeout, ...(signal && { signal }) }, resolve),
      );
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      sent.on("error", (error: NodeJS.ErrnoException) => {
        const stale = sent.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
        reject(stale ? new StaleConnection(error.message) : error);
      });
      sent.end(text);
    });
  }

  async *#pieces(request: ApiRequest, answer: IncomingMessage): AsyncGenerator<string> {
    try {
      yield* answer.setEncoding("utf8");
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw this.#unreachable(request, error);
    }
  }

  #unreachable(request: ApiRequest, error: unknown): ApiUnreachable {
    const first = error instanceof AggregateError ? error.errors[0] : error;
    return new ApiUnreachable(this.#attempt(request), whyOf(first as NodeJS.ErrnoException), first);
  }

  #attempt({ method, path }: ApiRequest) {
    return { server: this.server, method, path };
  }
}

class StaleConnection extends Error {}

/** Begins a request. What OpenSSL reads first are the certificates and keys of who asks. @throws UnusableKubeconfig */
function sending(server: string, begin: () => ClientRequest): ClientRequest {
  try {
    return begin();
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_OSSL_")) throw error;
    throw new UnusableKubeconfig(
      `a certificate or key in the kubeconfig for ${server} cannot be read: ${message.split(":").at(-1)}`,
      { next: "check client-certificate, client-key and certificate-authority (with -data they are PEM in base64)" },
    );
  }
}

/** The answer as an object. An answer that is not valid JSON comes from something in between: it counts as no answer. */
export async function sendForObject<T>(api: Api, request: ApiRequest): Promise<T> {
  return objectOf<T>(api, request, await api.send(request));
}

/** The answer to a request as an object. @throws ApiUnreachable */
export function objectOf<T>(api: Api, request: ApiRequest, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    const begin = printable(text.slice(0, 1000)).trim().replace(/\s+/g, " ").slice(0, 100);
    const why = begin ? `the answer does not come from an API server: ${begin}` : "the answer is empty";
    throw new ApiUnreachable({ server: api.server, ...request }, why, error);
  }
}
