import { afterEach, expect, test } from "vitest";
import { fakeApiServer } from "../../kubernetes/testing/fake-api-server.ts";
import { objectOperation, recordProgress } from "../testing/operation.ts";
import { applyObject, clusterOf } from "./apply.ts";

let close = () => {};
afterEach(() => close());

const URN = "urn:pulumi:local::p::app$kubernetes:apps/v1:DaemonSet::agents";
const applied = [{ manager: "ebpf-dataplane-runner", operation: "Apply" }];

/** Applies a ConfigMap in namespace "new" of a cluster that has one of the same resource in namespace "old". */
async function moving(options: object, labels: Record<string, string> = {}, isHeld = false) {
  let there = true;
  const stored = { name: "agents", namespace: "old", uid: "1", managedFields: applied, labels };
  const server = await fakeApiServer(({ method, url, body }) => {
    if (method === "DELETE") {
      there = isHeld;
      return [200, {}];
    }
    if (url.includes("/namespaces/old/")) return there ? [200, { metadata: stored }] : [404, { message: "not found" }];
    if (method === "GET") return [200, { items: there ? [{ metadata: stored }] : [] }];
    return [200, body];
  });
  close = server.close;
  const cluster = clusterOf(server.kubeconfig);
  const inputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "agents", namespace: "new" } };
  const operation = objectOperation(inputs, { urn: URN, ...options });
  const done = applyObject(() => cluster, "p.local")(
    operation,
    recordProgress().progress,
    new AbortController().signal,
  );
  return { done, requests: () => server.received.map(({ method, url }) => `${method} ${url.split("?")[0]}`), server };
}

test("with deleteBeforeReplace the object of another namespace goes before the new one comes", async () => {
  const { done, requests, server } = await moving({ deleteBeforeReplace: true });
  await done;
  expect(requests()).toEqual([
    "GET /api/v1/configmaps",
    "DELETE /api/v1/namespaces/old/configmaps/agents",
    "GET /api/v1/namespaces/old/configmaps/agents",
    "PATCH /api/v1/namespaces/new/configmaps/agents",
  ]);
  // Only what this very resource made.
  const { labels } = (server.received.at(-1)?.body?.metadata ?? {}) as { labels: Record<string, string> };
  const [own] = Object.entries(labels).filter(([key]) => key.endsWith("/resource"));
  expect(decodeURIComponent(server.received[0]?.url ?? "")).toContain(`stack=p.local,${own?.join("=")}`);
});

test("without it nothing is looked for", async () => {
  const { done, requests } = await moving({});
  await done;
  expect(requests()).toEqual(["PATCH /api/v1/namespaces/new/configmaps/agents"]);
});

test("what is protected is not replaced", async () => {
  const { done, requests } = await moving({ deleteBeforeReplace: true }, { "ebpf-dataplane.io/removal": "Protect" });
  await expect(done).rejects.toThrow("replaces ConfigMap old/agents, which is protected");
  expect(requests()).toEqual(["GET /api/v1/configmaps"]);
});

test("while something holds the former object, the new one does not come", async () => {
  const { done, requests } = await moving({ deleteBeforeReplace: true, deleteTimeout: 1 }, {}, true);
  await expect(done).rejects.toThrow("ConfigMap old/agents goes first, and is still there: something holds it");
  expect(requests().filter((request) => request.startsWith("PATCH"))).toEqual([]);
});
