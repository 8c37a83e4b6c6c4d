import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { KubeConfig, V1Status } from "@kubernetes/client-node";
import { withoutCredentials } from "./kubeconfig.ts";

/** A refusal by the API server, with its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** No answer at all, or one from something on the way. */
export class ApiUnreachable extends Error {}

/** Whether an error says that the API server is away for now, rather than that it refuses. */
export function isUnreachable(error: unknown): error is Error {
  return (
    error instanceof ApiUnreachable || (error instanceof ApiError && (error.status === 429 || error.status >= 500))
  );
}

export interface ApiRequest {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
}

const answerMs = 30_000;

/**
 * Plain requests to the API server. Objects pass as they were written: a typed client would drop the fields it does not
 * know before the API server could refuse them.
 */
export class ApiServer {
  #config: KubeConfig;
  readonly #agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new Agent({ keepAlive: true }) };

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** Whom it asks, and as whom. Not to be kept: its credentials are replaced when they have expired. */
  get config(): KubeConfig {
    return this.#config;
  }

  async json<T>(path: string, asked: ApiRequest = {}): Promise<T> {
    return JSON.parse(await this.text(path, asked)) as T;
  }

  async text(path: string, asked: ApiRequest = {}): Promise<string> {
    const server = this.#config.getCurrentCluster()?.server;
    if (!server) throw new Error("the kubeconfig has no current cluster");
    const url = new URL(server.replace(/\/$/, "") + path);
    for (const [key, value] of Object.entries(asked.query ?? {})) url.searchParams.set(key, value);
    const { status, body } = await this.#send(url, asked);
    if (status < 300) return body;
    throw apiError(status, body);
  }

  async #send(url: URL, asked: ApiRequest): Promise<Answered> {
    const answer = await this.#sendOnce(url, asked);
    if (answer.status !== 401) return answer;
    // Expired, or withdrawn, before its time: asked for once more, as kubectl does.
    this.#config = withoutCredentials(this.#config);
    return this.#sendOnce(url, asked);
  }

  async #sendOnce(url: URL, asked: ApiRequest): Promise<Answered> {
    const credentials = await this.#readCredentials(url);
    const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
    const send = {
      ...credentials,
      method: asked.method ?? "GET",
      headers: {
        ...(credentials.headers as Record<string, string> | undefined),
        Accept: "application/json",
        ...(body && { "Content-Type": asked.contentType ?? "application/json" }),
      },
    };
    const request = url.protocol === "http:" ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, send, (response) => {
        let received = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          received += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: received }));
        response.on("error", (error) => reject(new ApiUnreachable(`API server ${url.host}: ${error.message}`)));
      });
      outgoing.setTimeout(answerMs, () => outgoing.destroy(new Error(`no answer within ${answerMs / 1000} s`)));
      outgoing.on("error", (error) =>
        reject(new ApiUnreachable(`API server ${url.host} does not answer: ${error.message || String(error)}`)),
      );
      outgoing.end(body);
    });
  }

  /**
   * Of each request anew: a verification may take an hour, an upgrade six, and tokens and certificates end before. What a plugin gave
   * is remembered until its time is over. Certificates and headers go with each request; the agent only keeps connections open between them.
   */
  async #readCredentials(url: URL): Promise<RequestOptions> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const throughProxy = this.#config.getCurrentCluster()?.proxyUrl !== undefined;
    return throughProxy ? options : { ...options, agent: this.#agents[url.protocol as "http:" | "https:"] };
  }
}

interface Answered {
  status: number;
  body: string;
}

function apiError(status: number, body: string): ApiError {
  try {
    const parsed = JSON.parse(body) as V1Status;
    return new ApiError(status, parsed.reason ?? "", parsed.message ?? body);
  } catch {
    return new ApiError(status, "", body.trim().slice(0, 300));
  }
}
