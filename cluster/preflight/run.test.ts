import { afterEach, expect, test } from "vitest";
import { preflightSchema } from "../../components/documents/preflight.ts";
import { apiServerOf, kubeconfigOf } from "../../kubernetes/kubeconfig.ts";
import { type Answer, fakeApiServer, kubeconfigFor, type Received } from "../../kubernetes/testing/fake-api-server.ts";
import { refusingPort } from "../../kubernetes/testing/refusing-port.ts";
import { clusterIfThere } from "../identity.ts";
import { removeKubeProxy, restoreKubeProxy } from "../kube-proxy/switch.ts";
import { daemonSet, fitCluster, fitReport } from "./facts.fixture.ts";
import { preflight } from "./run.ts";

let close = () => {};
afterEach(() => {
  close();
  delete process.env.PULUMI_K8S_DELETE_UNREACHABLE;
  delete process.env.PULUMI_COMMAND_STDOUT;
});

const { clusterId, nodes, services } = fitCluster();
const CLUSTER: Record<string, object> = {
  "/api/v1/namespaces/kube-system": { metadata: { name: "kube-system", uid: clusterId } },
  "/version": { gitVersion: "v1.35.0" },
  "/api/v1/nodes": { items: nodes },
  "/apis/apps/v1/daemonsets": { items: [] },
  "/api/v1/pods": { items: [] },
  "/api/v1/services": { items: services },
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": { items: [] },
};
const path = ({ url }: Received) => url.split("?")[0] as string;

async function serving(answer: (request: Received) => Answer | undefined = () => undefined) {
  const server = await fakeApiServer((request) => {
    if (request.url.startsWith("/apis/authorization")) return [201, { status: { allowed: true } }];
    const document = CLUSTER[path(request)];
    return answer(request) ?? (document ? [200, document] : [404, { message: "not found" }]);
  });
  close = server.close;
  return { ...server, api: apiServerOf(kubeconfigOf(server.kubeconfig)) };
}

const quiet = () => {};

test("a preflight without pods only reads", async () => {
  const { api, received } = await serving();
  const found = await preflight(preflightSchema.parse({ probeNodes: false }), api, quiet);
  expect(found).toMatchObject({
    clusterId,
    refused: 0,
    nodes: [{ name: "one", address: "172.31.1.8" }, { name: "two" }],
  });
  const written = received.filter(({ method, url }) => method !== "GET" && !url.includes("selfsubjectaccessreviews"));
  expect(written).toEqual([]);
});

test("a preflight checks each node with a pod that has no API access, and removes the pods", async () => {
  const made: { spec: Record<string, unknown> & { nodeName: string } }[] = [];
  const { api, received } = await serving(({ method, url, body }) => {
    if (!url.startsWith("/api/v1/namespaces/kube-system/pods")) return undefined;
    if (method === "POST") made.push(body as never);
    const message = JSON.stringify(fitReport);
    const ended = (nodeName: string) =>
      nodeName === "one" ? { exitCode: 0, message } : { exitCode: 1, message: "exec format error" };
    const items = made.map(({ spec }) => ({
      spec,
      status: { containerStatuses: [{ state: { terminated: ended(spec.nodeName) } }] },
    }));
    return [200, method === "GET" ? { items } : {}];
  });
  const found = await preflight(
    preflightSchema.parse({ image: "agent:1", imagePullSecrets: [{ name: "registry" }] }),
    api,
    quiet,
  );
  expect(made.map(({ spec }) => spec.nodeName)).toEqual(["one", "two"]);
  expect(made[0]?.spec).toMatchObject({
    automountServiceAccountToken: false,
    hostNetwork: true,
    imagePullSecrets: [{ name: "registry" }],
  });
  expect(found.findings[0]).toMatchObject({ severity: "refused", nodes: ["two"], found: "exec format error" });
  expect(received.at(-1)).toMatchObject({ method: "DELETE", url: expect.stringContaining("labelSelector=") });
});

test("no pod runs on a node that gets no agent", async () => {
  const { api, received } = await serving(({ url }) =>
    url.startsWith("/api/v1/namespaces/kube-system/pods") ? [200, { items: [] }] : undefined,
  );
  const plan = preflightSchema.parse({ image: "agent:1", nodeSelector: { pool: "apps" }, seconds: 0.1 });
  const { findings } = await preflight(plan, api, quiet);
  expect(findings[0]?.found).toBe("no node of this cluster gets an agent");
  expect(received.filter(({ method, url }) => method === "POST" && url.endsWith("/pods"))).toEqual([]);
});

test.each([
  ["set by the stack", { clusterId: "00000000-0000-4000-8000-000000000000" }, ""],
  ["from Pulumi's state", {}, '{"clusterId":"00000000-0000-4000-8000-000000000000"}'],
])("any cluster but the expected one (%s) is refused before anything is read", async (_, plan, before) => {
  process.env.PULUMI_COMMAND_STDOUT = before;
  const { api, received } = await serving();
  await expect(preflight(preflightSchema.parse(plan), api, quiet)).rejects.toThrow(
    `this kubeconfig is for the cluster ${clusterId}, but the stack is on 00000000`,
  );
  expect(received).toHaveLength(1);
});

test("a cluster that does not answer counts as deleted only when that is declared", async () => {
  const refusing = await refusingPort();
  close = refusing.close;
  const api = apiServerOf(kubeconfigOf(kubeconfigFor(`http://127.0.0.1:${refusing.port}`)));
  await expect(clusterIfThere(api)).rejects.toThrow(/cannot be read: .*ECONNREFUSED/);
  process.env.PULUMI_K8S_DELETE_UNREACHABLE = "true";
  expect(await clusterIfThere(api)).toBeUndefined();
});

test("a cluster that rejects the request is not deleted", async () => {
  process.env.PULUMI_K8S_DELETE_UNREACHABLE = "true";
  const { api } = await serving(() => [401, { message: "Unauthorized" }]);
  await expect(clusterIfThere(api)).rejects.toThrow("Unauthorized");
});

test("a key in its node selector removes kube-proxy, and removing the key restores it", async () => {
  let selector: Record<string, string> = { "kubernetes.io/os": "linux" };
  const live = () => ({
    ...daemonSet("kube-system", "kube-proxy", "kube-proxy:1", selector),
    status: { observedGeneration: 1, currentNumberScheduled: 0, desiredNumberScheduled: 2, numberReady: 2 },
  });
  const { api, received } = await serving(({ method, url, body }) => {
    if (url === "/apis/apps/v1/daemonsets") return [200, { items: [live()] }];
    if (!url.endsWith("/namespaces/kube-system/daemonsets/kube-proxy")) return undefined;
    if (method === "PATCH") {
      const patch = (body as never as ReturnType<typeof live>).spec?.template.spec?.nodeSelector as object;
      selector = Object.fromEntries(Object.entries({ ...selector, ...patch }).filter(([, value]) => value !== null));
    }
    return [200, live()];
  });
  expect(await removeKubeProxy(api, quiet)).toEqual(["kube-system/kube-proxy"]);
  expect(selector).toEqual({ "kubernetes.io/os": "linux", "ebpf-dataplane.io/kube-proxy": "removed" });
  expect(await restoreKubeProxy(api, quiet)).toEqual(["kube-system/kube-proxy"]);
  expect(selector).toEqual({ "kubernetes.io/os": "linux" });
  const types = received.filter(({ method }) => method === "PATCH").map(({ contentType }) => contentType);
  expect(types).toEqual(["application/merge-patch+json", "application/merge-patch+json"]);
});
