import http from "node:http";
import https from "node:https";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";

/** The API server's answer when it is no success. */
export class KubernetesError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "KubernetesError";
    this.status = status;
  }
}

export type Query = Readonly<Record<string, string>>;

// A list of everything may take long on a busy server. A watch carries a bookmark about every minute, so one that has
// been silent this long is dead.
const ANSWER_MS = 60_000;
const SILENCE_MS = 150_000;
const TURN_MS = 10;

/** Plain requests to the API server: addresses, certificates and tokens (which rotate) are KubeConfig's business. The
 * client library's own Watch ends after 30 silent seconds and swallows what its callback throws, so lines are read here. */
export class KubernetesApi {
  readonly #config: KubeConfig;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  async get(path: string, query: Query = {}, signal?: AbortSignal): Promise<unknown> {
    const response = await this.#send("GET", path, query, undefined, ANSWER_MS, signal);
    return JSON.parse(await text(response));
  }

  async post(path: string, body: unknown): Promise<void> {
    const response = await this.#send("POST", path, {}, JSON.stringify(body), ANSWER_MS);
    response.resume();
  }

  /** Calls `line` for every line of the answer, until the server ends it. */
  async stream(path: string, query: Query, line: (text: string) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#send("GET", path, query, undefined, SILENCE_MS, signal);
    let rest = "";
    let turned = performance.now();
    for await (const chunk of response.setEncoding("utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const each of lines) {
        if (each) line(each);
        // Large objects come one after the other; others have their turn in between.
        if (performance.now() - turned > TURN_MS) {
          await setImmediate();
          turned = performance.now();
        }
      }
    }
  }

  async #send(
    method: string,
    path: string,
    query: Query,
    body: string | undefined,
    silence: number,
    signal?: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new Error("The kubeconfig names no current cluster; set current-context.");
    const url = new URL(path, cluster.server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const options: https.RequestOptions = { method, headers: { accept: "application/json" } };
    await this.#config.applyToHTTPSOptions(options);
    if (body !== undefined) options.headers = { ...options.headers, "content-type": "application/json" };
    if (signal) options.signal = signal;
    const response = await answer(url, options, body, silence);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw new KubernetesError(status, `${method} ${path}: ${status} ${reason(await text(response))}`);
  }
}

function answer(url: URL, options: https.RequestOptions, body: string | undefined, silence: number) {
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === "https:" ? https : http).request(url, options, resolve);
    request.on("error", reject);
    request.setTimeout(silence, () =>
      request.destroy(new Error(`${url.host} was silent for ${silence / 1000} s while ${url.pathname} was asked for`)),
    );
    request.end(body);
  });
}

/** The message of a Status object, or the text itself. */
function reason(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.trim();
  }
}
