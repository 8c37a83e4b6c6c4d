import type { V1Pod } from "@kubernetes/client-node";
import { beforeEach, expect, test } from "vitest";
import { ApiRefusal, ApiUnreachable } from "../../kubernetes/errors.ts";
import type { Kubeconfig } from "../../kubernetes/kubeconfig.ts";
import type { ApiRequest, ApiServer } from "../../kubernetes/transport.ts";
import { NodeProbers } from "./node-probers.ts";

const daemonSetOf = (image: string | undefined) => ({
  spec: { template: { spec: { containers: [{ name: "agent", image }] } } },
});
/** A tenant's, in a namespace of theirs, with the agents' label and container name: probers are privileged, so its image must never be theirs. */
const STRANGER = {
  metadata: { namespace: "tenant", labels: { "k8s-app": "ebpf-dataplane" } },
  ...daemonSetOf("tenant:1"),
};

/** An API server, as far as probers need one. */
class FakeApi {
  written: string[] = [];
  namespaces: { metadata: { name: string; creationTimestamp: string } }[] = [];
  pods: V1Pod[] = [];
  agentImage: string | undefined;
  hasAgents = true;
  refusal: Error | undefined;
  image = "";

  readonly server = "https://api.test";

  async send({ method, path, body }: ApiRequest): Promise<string> {
    return method === "GET" ? JSON.stringify(this.#answer(path)) : this.#write(method, path, body);
  }

  #answer(path: string): object {
    const agent = daemonSetOf(this.agentImage);
    const answers: Record<string, object> = {
      "/api/v1": { resources: [{ name: "namespaces", kind: "Namespace", namespaced: false }] },
      "/apis/apps/v1": { resources: [{ name: "daemonsets", kind: "DaemonSet", namespaced: true }] },
      "/api/v1/namespaces": { items: this.namespaces },
      "/apis/apps/v1/daemonsets": { items: [STRANGER] },
      "/apis/apps/v1/namespaces/ebpf-dataplane/daemonsets/ebpf-dataplane": STRANGER,
      ...(this.hasAgents && {
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ebpf-dataplane": {
          subjects: [{ kind: "ServiceAccount", name: "ebpf-dataplane", namespace: "net" }],
        },
      }),
      ...(this.agentImage && { "/apis/apps/v1/namespaces/net/daemonsets/ebpf-dataplane": agent }),
    };
    const answer = path.endsWith("/pods") ? { items: this.pods } : answers[path];
    if (!answer) throw new ApiRefusal(404, "NotFound", path);
    return answer;
  }

  #write(method: string, path: string, body: unknown): string {
    if (this.refusal) throw this.refusal;
    this.written.push(`${method} ${path.replace(/probe-[0-9a-f]{8}/g, "probe-x")}`);
    if (method === "DELETE") this.pods = [];
    const spec = (body as { spec?: { template: { spec: { containers: { image: string }[] } } } } | undefined)?.spec;
    this.image = spec?.template.spec.containers[0]?.image ?? this.image;
    return "{}";
  }
}

let api: FakeApi;
let now: number;
const clock = {
  now: () => now,
  sleep: async (milliseconds: number) => {
    now += milliseconds;
  },
};
const probers = (image?: string) => new NodeProbers(api as unknown as ApiServer<Kubeconfig>, clock, image);

beforeEach(() => {
  api = new FakeApi();
  now = 0;
});

const pod = (node: string, status: V1Pod["status"]): V1Pod => ({
  metadata: { namespace: "ebpf-dataplane-probe-x", name: `probe-${node}` },
  spec: { nodeName: node, containers: [{ name: "probe", image: "ebpf-dataplane:0.1.0" }] },
  status,
});
const running = { phase: "Running", containerStatuses: [{ state: { running: {} } }] } as V1Pod["status"];

test("probers are made once, when they are needed, and removed at the end", async () => {
  api.pods = [pod("master", running)];
  const made = probers();
  made.on("master");
  expect(api.written).toEqual([]);
  await made.start();
  await made.start();
  expect(api.written).toEqual([
    "PATCH /api/v1/namespaces/ebpf-dataplane-probe-x",
    "PATCH /apis/apps/v1/namespaces/ebpf-dataplane-probe-x/daemonsets/probe",
  ]);
  expect(await made.remove()).toBeUndefined();
  expect(api.written.at(-1)).toBe("DELETE /api/v1/namespaces/ebpf-dataplane-probe-x");
});

test("nothing is removed where nothing was made", async () => {
  expect(await probers().remove()).toBeUndefined();
  expect(api.written).toEqual([]);
});

test("the image is the one asked for, else the agents', else this version's", async () => {
  await probers().start();
  expect(api.image).toMatch(/^ebpf-dataplane:\d/);
  api.agentImage = "images.example.com/team/ebpf-dataplane:0.1.0";
  await probers().start();
  expect(api.image).toBe(api.agentImage);
  await probers("other:1").start();
  expect(api.image).toBe("other:1");
});

test("without agents the image is this version's, whoever has the namespace of their usual name", async () => {
  api.hasAgents = false;
  await probers().start();
  expect(api.image).toMatch(/^ebpf-dataplane:\d/);
});

test("a node whose prober does not run is told in words, after a minute", async () => {
  const waiting = { waiting: { reason: "ImagePullBackOff", message: "not found" } };
  api.pods = [
    pod("node", { phase: "Pending", containerStatuses: [{ state: waiting }] } as V1Pod["status"]),
    pod("master", running),
  ];
  const made = probers();
  await expect(made.on("node").prepare([])).rejects.toThrow(
    "the prober on node node does not run: Pending, ImagePullBackOff, not found (image ebpf-dataplane:0.1.0; --probe-image selects another one)",
  );
  expect(now).toBeGreaterThanOrEqual(60_000);
  await expect(made.on("third").capture("tcp")).rejects.toThrow("the DaemonSet has no pod there");
});

test("a cluster that refuses the namespace is told of, and is asked again by the next use", async () => {
  api.refusal = new ApiRefusal(403, "Forbidden", "namespaces is forbidden");
  const made = probers();
  await made.start();
  await expect(made.on("node").prepare([])).rejects.toThrow(
    "probers cannot be started on nodes: namespaces is forbidden",
  );
  api.refusal = undefined;
  await made.start();
  expect(api.written).toHaveLength(2);
});

test("what a killed run left is removed, what another run uses is not", async () => {
  const hours = (ago: number) => new Date(Date.now() - ago * 3600_000).toISOString();
  api.namespaces = [
    { metadata: { name: "ebpf-dataplane-probe-00000001", creationTimestamp: hours(4) } },
    { metadata: { name: "ebpf-dataplane-probe-00000002", creationTimestamp: hours(1) } },
    // The label alone makes no namespace ours.
    { metadata: { name: "production", creationTimestamp: hours(4000) } },
    { metadata: { name: "ebpf-dataplane-probe-of-mine", creationTimestamp: hours(4000) } },
  ];
  await probers().start();
  expect(api.written.filter((line) => line.startsWith("DELETE"))).toEqual([
    "DELETE /api/v1/namespaces/ebpf-dataplane-probe-x",
  ]);
});

test("an API server that is away at the end is waited for, then what may be left is named with its command", async () => {
  const made = probers();
  await made.start();
  api.refusal = new ApiUnreachable({ server: "a", method: "DELETE", path: "/x" }, "ECONNREFUSED");
  expect(await made.remove()).toMatch(
    /could not be removed: the API server a does not answer .*ECONNREFUSED. Next: kubectl delete namespace/,
  );
  expect(now).toBeGreaterThanOrEqual(20_000);
});
