// One request to the API server, and its answer. What is asked are files beside this one, a verb each: who must not delete does not
// import delete.ts. Objects pass as they were written: a typed client would drop the fields that it does not know before the API server
// could refuse them.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Access } from "./access.ts";
import { ApiUnreachable } from "./errors.ts";
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
  /** So many milliseconds without a byte are a failure. */
  silenceMs?: number;
}

/** What verbs need of an API server; tests have one of their own. */
export interface Api {
  /** URL, for people. */
  readonly server: string;
  /** @returns the body of a successful answer. @throws KubernetesError */
  send(request: ApiRequest): Promise<string>;
}

/** What a watch needs. */
export interface StreamingApi extends Api {
  /** Resolves when a successful answer has begun; its text comes in pieces. Both reject with a KubernetesError. */
  stream(request: ApiRequest): Promise<AsyncIterable<string>>;
}

const ANSWER_MS = 30_000;
/** Characters of an answer that is no success; what is over them says nothing more. */
const LONGEST_REFUSAL = 1_000_000;
/** So long an idle connection is kept for the next request: shorter than servers and proxies do, so that none closes it under a request. */
const IDLE_MS = 4_000;
const KEPT = { keepAlive: true, timeout: IDLE_MS };

/** The API server of an `Access`. */
export class ApiServer<A extends Access = Access> implements StreamingApi {
  readonly access: A;
  readonly #answerMs: number;
  readonly #agents = { "http:": new HttpAgent(KEPT), "https:": new Agent(KEPT) };

  /** @param answerMs milliseconds of silence that a request gets where it does not say so itself */
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
    const options = await this.access.options();
    let answer = await this.#answer(request, options);
    if (answer.statusCode === 401 && this.access.renew) {
      // Expired, or withdrawn, before its time: asked once more, as kubectl does.
      answer.resume();
      this.access.renew(options);
      answer = await this.#answer(request, await this.access.options());
    }
    const pieces = this.#pieces(request, answer);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return pieces;
    let body = "";
    for await (const piece of pieces) {
      body += piece;
      if (body.length > LONGEST_REFUSAL) break; // ends the connection too
    }
    throw refusalOf(this.#attempt(request), status, answer.headers["retry-after"], body);
  }

  /**
   * A connection that was kept open may be closed by the other side just when it is used again, by a server that restarts: that is no
   * failure. What creates is not sent twice.
   */
  async #answer(request: ApiRequest, options: RequestOptions): Promise<IncomingMessage> {
    try {
      return await this.#exchange(request, options);
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      if (error instanceof StaleConnection && request.method !== "POST")
        return this.#answer(request, { ...options, agent: false });
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
      const sent = send(url, { ...given, method, headers, agent, timeout, ...(signal && { signal }) }, resolve);
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
    const { message, code } = first as NodeJS.ErrnoException;
    const broken = message === "aborted" ? "the connection was cut in the middle of the answer" : undefined;
    return new ApiUnreachable(this.#attempt(request), broken ?? (message || code || String(error)), first);
  }

  #attempt({ method, path }: ApiRequest) {
    return { server: this.server, method, path };
  }
}

class StaleConnection extends Error {}

/** The answer's object. What is no JSON comes from something on the way: it counts as no answer. */
export async function sendForObject<T>(api: Api, request: ApiRequest): Promise<T> {
  const text = await api.send(request);
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    const begin = printable(text.slice(0, 1000)).trim().replace(/\s+/g, " ").slice(0, 100);
    const why = begin ? `what answers is not an API server: ${begin}` : "the answer is empty";
    throw new ApiUnreachable({ server: api.server, ...request }, why, error);
  }
}
