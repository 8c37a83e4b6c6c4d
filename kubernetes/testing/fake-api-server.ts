import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { stringify } from "yaml";

/** A request as the API server received it. */
export interface Received {
  method: string;
  /** Path and query. */
  url: string;
  contentType: string;
  /** The header. */
  authorization?: string;
  body: Record<string, unknown> | undefined;
}

/** What the API server answers: status and document. */
export type Answer = [status: number, document: unknown];

const verbs = ["create", "delete", "get", "list", "patch"];

/** Kinds that discovery tells about, by group path. */
const KINDS: Record<string, object[]> = {
  "/api/v1": [
    { name: "namespaces", kind: "Namespace", namespaced: false, verbs },
    { name: "namespaces/status", kind: "Namespace", namespaced: false },
    { name: "configmaps", kind: "ConfigMap", namespaced: true, verbs },
    { name: "secrets", kind: "Secret", namespaced: true, verbs },
  ],
  "/apis/apps/v1": [
    { name: "deployments", kind: "Deployment", namespaced: true, verbs },
    { name: "daemonsets", kind: "DaemonSet", namespaced: true, verbs },
  ],
  "/apis/apiextensions.k8s.io/v1": [
    { name: "customresourcedefinitions", kind: "CustomResourceDefinition", namespaced: false, verbs },
  ],
};

const GROUPS = Object.keys(KINDS).flatMap((path) => {
  const groupVersion = path.replace(/^\/apis\//, "");
  return path.startsWith("/apis/") ? [{ preferredVersion: { groupVersion } }] : [];
});

/** Speaks enough of the Kubernetes API for one test: discovery, and whatever `answer` says. */
export async function fakeApiServer(answer: (request: Received) => Answer) {
  const received: Received[] = [];
  const server = createServer(async (message, response) => {
    const request = await read(message);
    const discovered = request.url === "/apis" ? { groups: GROUPS } : discovery(request.url);
    if (!discovered) received.push(request);
    const [status, document] = discovered ? [200, discovered] : answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { received, kubeconfig: kubeconfigFor(`http://127.0.0.1:${port}`), close: () => server.close() };
}

/** Of a server that need not be secure. */
export function kubeconfigFor(server: string): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fake",
    contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
    clusters: [{ name: "fake", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "fake", user: {} }],
  });
}

function discovery(path: string): { resources: object[] } | undefined {
  const resources = KINDS[path];
  return resources && { resources };
}

async function read(message: IncomingMessage): Promise<Received> {
  const text = (await message.setEncoding("utf8").toArray()).join("");
  return {
    method: message.method ?? "",
    url: message.url ?? "",
    contentType: message.headers["content-type"] ?? "",
    ...(message.headers.authorization && { authorization: message.headers.authorization }),
    body: text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>),
  };
}
