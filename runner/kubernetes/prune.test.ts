import { afterEach, expect, test } from "vitest";
import { fakeApiServer, type Received } from "../../kubernetes/testing/fake-api-server.ts";
import { ResourceReport } from "../terminal.ts";
import { objectOperation, recordProgress } from "../testing/operation.ts";
import { applyObject, clusterOf } from "./apply.ts";
import { prune } from "./prune.ts";
import { stackLabelOf } from "./stack-label.ts";

let close = () => {};
afterEach(() => close());

const applied = [{ manager: "ebpf-dataplane-runner", operation: "Apply" }];
const object = (uid: string, metadata: object = {}) => ({
  metadata: { name: uid, namespace: "dataplane", uid, managedFields: applied, ...metadata },
});

/** A cluster that holds these objects, by plural; what is deleted is gone at once, unless a finalizer holds it. */
async function holding(stored: Record<string, ReturnType<typeof object>[]>, refuse = (_: Received) => 0) {
  const gone = new Set<string>();
  const server = await fakeApiServer((request) => {
    const status = refuse(request);
    if (status) return [status, { message: "no" }];
    const path = request.url.split("?")[0] as string;
    if (request.method === "PATCH")
      return [200, { ...request.body, metadata: { ...(request.body?.metadata as object), uid: "fresh" } }];
    const held = Object.values(stored)
      .flat()
      .find(({ metadata }) => "finalizers" in metadata && path.endsWith(`/${metadata.name}`));
    if (held) return [200, held];
    if (request.method === "DELETE") gone.add(path);
    if (gone.has(path)) return request.method === "DELETE" ? [200, {}] : [404, { message: "not found" }];
    const plural = path.split("/").at(-1) as string;
    return [200, { items: stored[plural] ?? [] }];
  });
  close = server.close;
  const cluster = clusterOf(server.kubeconfig);
  const run = () => prune(cluster, "p.local", (title) => new ResourceReport(title));
  const deleted = () => server.received.filter(({ method }) => method === "DELETE").map(({ url }) => url);
  return { ...server, cluster, run, deleted };
}

test("objects of this stack's earlier runs that this run did not apply are removed, workloads first", async () => {
  const { run, deleted, received } = await holding({ configmaps: [object("settings")], daemonsets: [object("proxy")] });
  expect(await run()).toBe(2);
  expect(deleted()).toEqual([
    "/apis/apps/v1/namespaces/dataplane/daemonsets/proxy",
    "/api/v1/namespaces/dataplane/configmaps/settings",
  ]);
  expect(received.find(({ method }) => method === "DELETE")?.body).toEqual({
    propagationPolicy: "Foreground",
    preconditions: { uid: "proxy" },
  });
  const lists = received.filter(({ method, url }) => method === "GET" && url.includes("?"));
  expect(lists.every(({ url }) => url.endsWith("?labelSelector=ebpf-dataplane.io%2Fstack%3Dp.local"))).toBe(true);
});

test.each([
  ["another field manager applied", { managedFields: [{ manager: "kubectl", operation: "Apply" }] }],
  [
    "somebody only touched with our name",
    { managedFields: [{ manager: "ebpf-dataplane-runner", operation: "Update" }] },
  ],
  ["nobody says who made", { managedFields: undefined }],
  ["a controller made", { ownerReferences: [{ controller: true }] }],
  ["is going already", { deletionTimestamp: "2026-01-01T00:00:00Z" }],
])("what %s stays, whatever its label", async (_, metadata) => {
  const { run, deleted } = await holding({ daemonsets: [object("other", metadata)] });
  expect(await run()).toBe(0);
  expect(deleted()).toEqual([]);
});

test("objects that this run applied stay, and have the stack's label", async () => {
  const { cluster, run, deleted, received } = await holding({ configmaps: [object("fresh"), object("stale")] });
  const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "fresh", namespace: "dataplane" } };
  const handler = applyObject(() => cluster, "p.local");
  await handler(objectOperation(inputs), recordProgress().progress, new AbortController().signal);
  expect(received[0]?.body?.metadata).toMatchObject({ labels: { "ebpf-dataplane.io/stack": "p.local" } });
  await run();
  expect(deleted()).toEqual(["/api/v1/namespaces/dataplane/configmaps/stale"]);
});

test("what was made with protect or retainOnDelete stays; of what is protected the run tells, after the rest is gone", async () => {
  const { cluster, run, deleted, received } = await holding({
    configmaps: [
      object("kept", { labels: { "ebpf-dataplane.io/removal": "Retain" } }),
      object("safe", { labels: { "ebpf-dataplane.io/removal": "Protect" } }),
      object("stale"),
    ],
  });
  await expect(run()).rejects.toThrow("no longer in the program, but protected: ConfigMap dataplane/safe");
  expect(deleted()).toEqual(["/api/v1/namespaces/dataplane/configmaps/stale"]);
  const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "fresh", namespace: "dataplane" } };
  for (const options of [{ retainOnDelete: true }, { protect: true, retainOnDelete: true }, {}])
    await applyObject(() => cluster, "p.local")(
      objectOperation(inputs, options),
      recordProgress().progress,
      new AbortController().signal,
    );
  const labels = received
    .filter(({ method }) => method === "PATCH")
    .map(({ body }) => body?.metadata as { labels: Record<string, string> });
  expect(labels.map((each) => each.labels["ebpf-dataplane.io/removal"])).toEqual(["Retain", "Protect", undefined]);
});

test("objects that never go delay a run by ten minutes at most, however many they are", async () => {
  const many = Array.from({ length: 100 }, (_, index) =>
    object(`held-${index}`, { finalizers: ["example.com/never"] }),
  );
  const { cluster, deleted } = await holding({ configmaps: many });
  let now = 0;
  const sleep = async () => {
    now += 60_000;
  };
  await prune(cluster, "p.local", (title) => new ResourceReport(title), { now: () => now, sleep });
  expect(deleted()).toHaveLength(100);
  expect(now).toBeGreaterThanOrEqual(600_000);
  expect(now).toBeLessThan(800_000);
});

test("kinds that the user may not list are left out", async () => {
  const { run, deleted } = await holding({ configmaps: [object("a")] }, ({ url }) =>
    url.includes("/secrets") ? 403 : 0,
  );
  expect(await run()).toBe(1);
  expect(deleted()).toHaveLength(1);
});

test("an object that somebody replaced meanwhile is not ours any more", async () => {
  const { run } = await holding({ configmaps: [object("a")] }, ({ method }) => (method === "DELETE" ? 409 : 0));
  expect(await run()).toBe(1);
});

test.each([
  ["ebpf-dataplane", "local", /^ebpf-dataplane\.local$/],
  ["a project", "of mine", /^[0-9a-f]{32}$/],
  ["p".repeat(60), "local", /^[0-9a-f]{32}$/],
])("the label of %s, %s", (project, stack, label) => {
  expect(stackLabelOf(project, stack)).toMatch(label);
});
