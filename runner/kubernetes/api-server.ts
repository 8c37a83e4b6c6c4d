import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { messageOf, RunnerFailure } from "../failure.ts";

/** Anything the API server stores or answers with. */
export type ApiObject = {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; uid?: string; generation?: number; labels?: Record<string, string> };
  [field: string]: unknown;
};

/** An answer of the API server that is not a success; `message` is its own explanation. */
export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Answer {
  readonly status: number;
  readonly document: ApiObject;
}

function readKubeconfig(kubeconfig: string | undefined, context: string | undefined): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromString(kubeconfig);
    if (context !== undefined) config.setCurrentContext(context);
  } catch (error) {
    throw new RunnerFailure(`cannot read the kubeconfig: ${messageOf(error)}`, { exitCode: 2 });
  }
  return config;
}

/** Milliseconds after which an unanswered request has failed. */
const REQUEST_TIMEOUT = 30_000;

/** One API server, as its kubeconfig describes it. */
export class ApiServer {
  readonly #read: () => KubeConfig;
  #config: KubeConfig;

  /** @param kubeconfig YAML; absent: what kubectl would use (KUBECONFIG, ~/.kube/config). */
  constructor(kubeconfig?: string, context?: string) {
    this.#read = () => readKubeconfig(kubeconfig, context);
    this.#config = this.#read();
  }

  /** Sends one request; `body` is JSON. Throws ApiRefusal, or RunnerFailure when there is no answer. */
  async send(method: string, path: string, body?: unknown, contentType = "application/json"): Promise<ApiObject> {
    let answer = await this.#sendOnce(method, path, body, contentType);
    if (answer.status === 401) {
      // Expired, or withdrawn, before its time: asked for once more, as kubectl does.
      this.#config = this.#read();
      answer = await this.#sendOnce(method, path, body, contentType);
    }
    if (answer.status < 300) return answer.document;
    throw new ApiRefusal(answer.status, String(answer.document.message ?? `HTTP status ${answer.status}`));
  }

  async #sendOnce(method: string, path: string, body: unknown, contentType: string): Promise<Answer> {
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new RunnerFailure("the kubeconfig has no current cluster", { exitCode: 2 });
    const url = new URL(cluster.server.replace(/\/$/, "") + path);
    const text = body === undefined ? "" : JSON.stringify(body);
    // Node frames the body of a DELETE only when its length is given.
    const headers = {
      accept: "application/json",
      "content-type": contentType,
      "content-length": Buffer.byteLength(text),
    };
    const options = { method, headers, agent: false as const };
    await this.#config.applyToHTTPSOptions(options);
    return this.#exchange(url, options, text);
  }

  async #exchange(url: URL, options: object, text: string): Promise<Answer> {
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = send(url, { ...options, timeout: REQUEST_TIMEOUT }, resolve);
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${REQUEST_TIMEOUT / 1000} s`)));
      sent.on("error", reject);
      sent.end(text);
    }).catch((error: unknown) => {
      throw new ApiUnreachable(`the API server ${url.origin} does not answer: ${messageOf(error)}`);
    });
    const answer = (await response.setEncoding("utf8").toArray()).join("");
    return { status: response.statusCode ?? 0, document: parseDocument(answer) };
  }
}

/** No answer at all: worth another attempt. */
export class ApiUnreachable extends RunnerFailure {}

/** Some refusals (of a proxy, of an overloaded server) are plain text. */
function parseDocument(text: string): ApiObject {
  try {
    return JSON.parse(text) as ApiObject;
  } catch {
    return { message: text.trim() };
  }
}
