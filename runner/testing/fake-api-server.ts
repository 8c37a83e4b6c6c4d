import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";

/** A request as the API server received it. */
export interface Received {
  method: string;
  /** Path and query. */
  url: string;
  contentType: string;
  body: Record<string, unknown> | undefined;
}

/** What the API server answers: status and document. */
export type Answer = [status: number, document: unknown];

/** Kinds that discovery tells about, by group path. */
const KINDS: Record<string, object[]> = {
  "/api/v1": [
    { name: "namespaces", kind: "Namespace", namespaced: false },
    { name: "namespaces/status", kind: "Namespace", namespaced: false },
    { name: "configmaps", kind: "ConfigMap", namespaced: true },
    { name: "secrets", kind: "Secret", namespaced: true },
  ],
  "/apis/apps/v1": [
    { name: "deployments", kind: "Deployment", namespaced: true },
    { name: "daemonsets", kind: "DaemonSet", namespaced: true },
  ],
  "/apis/apiextensions.k8s.io/v1": [
    { name: "customresourcedefinitions", kind: "CustomResourceDefinition", namespaced: false },
  ],
};

/** Speaks enough of the Kubernetes API for one test: discovery, and whatever `answer` says. */
export async function fakeApiServer(answer: (request: Received) => Answer) {
  const received: Received[] = [];
  const server = createServer(async (message, response) => {
    const request = await read(message);
    const resources = KINDS[request.url];
    if (!resources) received.push(request);
    const [status, document] = resources ? [200, { resources }] : answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fake",
    contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
    clusters: [{ name: "fake", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "fake", user: {} }],
  });
  return { received, kubeconfig, close: () => server.close() };
}

async function read(message: IncomingMessage): Promise<Received> {
  const text = (await message.setEncoding("utf8").toArray()).join("");
  return {
    method: message.method ?? "",
    url: message.url ?? "",
    contentType: message.headers["content-type"] ?? "",
    body: text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
}
