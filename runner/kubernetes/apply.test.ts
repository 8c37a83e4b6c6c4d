import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { findObject } from "../../kubernetes/get.ts";
import { waitingClock } from "../../kubernetes/testing/clock.ts";
import { type Answer, fakeApiServer, type Received } from "../../kubernetes/testing/fake-api-server.ts";
import { objectOperation, recordProgress } from "../testing/operation.ts";
import { applyObject, clusterOf, deleteObject } from "./apply.ts";

let close = () => {};
afterEach(() => close());

async function serving(answer: (request: Received) => Answer) {
  const server = await fakeApiServer(answer);
  close = server.close;
  const cluster = clusterOf(server.kubeconfig);
  const { lines, progress } = recordProgress();
  const apply = (inputs: Record<string, unknown>, timeout?: number) =>
    applyObject(() => cluster)(
      objectOperation(inputs, timeout ? { timeout } : {}),
      progress,
      new AbortController().signal,
    );
  return { ...server, cluster, lines, apply };
}

const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "b" }, data: { k: "v" } };

test("applyObject() applies server-side, by force, strictly, with one field manager", async () => {
  const { received, apply } = await serving(({ body }) => [
    200,
    { ...body, metadata: { ...configMap.metadata, uid: "1" } },
  ]);
  const { id, state } = await apply(configMap);
  expect(received).toEqual([
    {
      method: "PATCH",
      url: "/api/v1/namespaces/b/configmaps/a?fieldManager=ebpf-dataplane-runner&force=true&fieldValidation=Strict",
      contentType: "application/apply-patch+yaml",
      body: configMap,
    },
  ]);
  expect(id).toBe("b/a");
  expect(state.metadata).toMatchObject({ uid: "1" });
});

test("applyObject() gives schemas the names of their extension keys", async () => {
  const { received, apply } = await serving(({ method, body }) =>
    method === "GET"
      ? [404, { message: "not found" }]
      : [200, { ...body, status: { conditions: [{ type: "Established", status: "True" }] } }],
  );
  const schema = { type: "object", x_kubernetes_validations: [{ rule: "true" }] };
  await apply({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "a" },
    spec: { schema },
  });
  expect(received.find(({ method }) => method === "PATCH")?.body?.spec).toEqual({
    schema: { type: "object", "x-kubernetes-validations": [{ rule: "true" }] },
  });
});

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "nginx", namespace: "default", generation: 2 },
  spec: { replicas: 1, selector: { matchLabels: { app: "nginx" } } },
};
const rolledOut = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

test("applyObject() waits until the controller has rolled out this generation", async () => {
  const statuses = [{ ...rolledOut, observedGeneration: 1 }, { observedGeneration: 2 }, rolledOut];
  const { lines, apply } = await serving(({ method, url }) => {
    if (url.includes("/pods") || url.includes("/events")) return [200, { items: [] }];
    return [200, { ...deployment, status: method === "PATCH" ? {} : statuses.shift() }];
  });
  await apply(deployment);
  expect(lines).toEqual([
    expect.stringContaining("its controller has not seen the change yet"),
    expect.stringContaining("its controller has not seen the change yet"),
    expect.stringContaining("0 of 1 new pods exist"),
  ]);
});

test("applyObject() waits on where the pods of what is not ready cannot be listed", async () => {
  const statuses = [{ ...rolledOut, availableReplicas: 0 }, rolledOut];
  const { lines, apply } = await serving(({ method, url }) => {
    if (url.includes("/pods") || url.includes("/events")) return [500, { message: "too busy" }];
    return [200, { ...deployment, status: method === "PATCH" ? {} : statuses.shift() }];
  });
  await apply(deployment);
  expect(lines.join()).toContain("its pods cannot be listed: ");
});

test("applyObject() waits for what it has applied while the API server is away, for as long as the object may take", async () => {
  let looks = 0;
  const busy: Answer = [503, { message: "too busy" }];
  const { cluster } = await serving(({ method }) => {
    if (method === "PATCH") return [200, deployment];
    return ++looks > 100 ? [200, { ...deployment, status: rolledOut }] : busy;
  });
  const clock = waitingClock();
  const { lines, progress } = recordProgress();
  const apply = (timeout: number) =>
    applyObject(() => cluster, undefined, clock)(
      objectOperation(deployment, { timeout }),
      progress,
      new AbortController().signal,
    );
  await expect(apply(30_000)).rejects.toThrow("too busy");
  expect(clock.now()).toBeLessThan(60_000);
  expect((await apply(60_000)).id).toBe("default/nginx");
  expect(lines).toContainEqual(expect.stringContaining("too busy"));
});

test("deleteObject() waits while the API server is away, and says what it last knew", async () => {
  let looks = 0;
  const { cluster } = await serving(({ method }) => {
    if (method === "DELETE" || looks++ === 0) return [200, configMap];
    return looks > 100 ? [404, { message: "not found" }] : [503, { message: "too busy" }];
  });
  const remove = (deleteTimeout: number) => {
    looks = 0;
    const operation = objectOperation(configMap, { deleteTimeout });
    return deleteObject(cluster, operation, undefined, new AbortController().signal, waitingClock());
  };
  await expect(remove(30_000)).rejects.toThrow(/^may still be there: .*too busy/);
  await remove(60_000);
  expect(looks).toBe(101);
});

test("applyObject() reports which pod is not ready, and why", async () => {
  const { apply } = await serving(({ url }) => {
    if (url.includes("/events")) {
      const warning = { involvedObject: { name: "nginx-1" }, reason: "FailedMount", message: "no such folder" };
      return [200, { items: [warning] }];
    }
    if (!url.includes("/pods")) return [200, { ...deployment, status: { ...rolledOut, availableReplicas: 0 } }];
    const waiting = { reason: "ImagePullBackOff", message: "not found" };
    const containerStatuses = [{ name: "nginx", ready: false, restartCount: 0, state: { waiting } }];
    return [
      200,
      { items: [{ metadata: { name: "nginx-1" }, spec: { nodeName: "node" }, status: { containerStatuses } }] },
    ];
  });
  await expect(apply(deployment, 100)).rejects.toThrow(
    "not ready after 0.1 s: 0 of 1 pods are ready\n" +
      "pod default/nginx-1 on node: container nginx: ImagePullBackOff: not found; FailedMount: no such folder",
  );
});

test("applyObject() passes on why the API server refuses", async () => {
  const { apply } = await serving(() => [422, { kind: "Status", message: 'spec.foo: unknown field "foo"' }]);
  await expect(apply(configMap)).rejects.toThrow('unknown field "foo"');
});

test.each([
  ["kubernetes:helm.sh/v4:Chart", {}, "cannot be created without the Pulumi CLI"],
  ["kubernetes:apps/v1:DaemonSetPatch", deployment, "cannot be created without the Pulumi CLI"],
  ["kubernetes:core/v1:ConfigMap", { apiVersion: "v1", kind: "ConfigMap" }, 'resource "resource" has no metadata.name'],
])("applyObject() refuses %s", async (type, inputs, message) => {
  const handler = applyObject(() => clusterOf("{}"));
  const { progress } = recordProgress();
  await expect(handler(objectOperation(inputs, { type }), progress, new AbortController().signal)).rejects.toThrow(
    message,
  );
});

test("applyObject() leaves what is ignored as the cluster has it, and looks again if it changed meanwhile", async () => {
  let [values, conflicts] = ["5", 1];
  const { received, cluster } = await serving(({ method, body }) => {
    if (method === "GET") return [200, { ...configMap, metadata: { resourceVersion: values }, data: { k: values } }];
    if (conflicts-- > 0) {
      values = "6";
      return [409, { message: "the object has been modified" }];
    }
    return [200, body];
  });
  const operation = objectOperation(configMap, { ignoreChanges: ["data.k"] });
  await applyObject(() => cluster)(operation, recordProgress().progress, new AbortController().signal);
  const sent = received.filter(({ method }) => method === "PATCH").map(({ body }) => body);
  expect(sent).toMatchObject([
    { data: { k: "5" }, metadata: { name: "a", resourceVersion: "5" } },
    { data: { k: "6" }, metadata: { name: "a", resourceVersion: "6" } },
  ]);
});

test.each([
  [{ deleteBeforeReplace: true }, ["PATCH", "GET", "DELETE", "GET", "PATCH"], undefined],
  [{}, ["PATCH"], "field is immutable"],
  [
    { deleteBeforeReplace: true, protect: true },
    ["PATCH"],
    "field is immutable; it is protected, and was not replaced",
  ],
])("an object that cannot be changed in place, with %o", async (options, requests, failure) => {
  let there = true;
  const { received, cluster } = await serving(({ method, body }) => {
    if (method === "DELETE") there = false;
    if (method === "PATCH") return there ? [422, { message: "data: field is immutable" }] : [200, body];
    return there ? [200, configMap] : [404, { message: "not found" }];
  });
  const done = applyObject(() => cluster)(
    objectOperation(configMap, options),
    recordProgress().progress,
    new AbortController().signal,
  );
  if (failure === undefined) await done;
  else await expect(done).rejects.toThrow(failure);
  expect(received.map(({ method }) => method)).toEqual(requests);
});

test("deleteObject() waits until the object is gone, and is content when it never was", async () => {
  let left = 2;
  const { cluster, received } = await serving(() => (left-- > 0 ? [200, configMap] : [404, { message: "not found" }]));
  const signal = new AbortController().signal;
  await deleteObject(cluster, objectOperation(configMap), "app.dev", signal);
  await deleteObject(cluster, objectOperation(configMap), "app.dev", signal);
  expect(received.map(({ method }) => method)).toEqual(["GET", "DELETE", "GET", "GET"]);
});

test("deleteObject() keeps objects of another stack, as in another cluster", async () => {
  const theirs = {
    ...configMap,
    metadata: { ...configMap.metadata, labels: { "ebpf-dataplane.io/stack": "app.other" } },
  };
  const { cluster, received } = await serving(() => [200, theirs]);
  const removal = deleteObject(cluster, objectOperation(configMap), "app.dev", new AbortController().signal);
  await expect(removal).rejects.toThrow("is the stack app.other's, not app.dev's");
  expect(received.map(({ method }) => method)).toEqual(["GET"]);
});

test("deleteObject() is content when the kind is not defined any more, without waiting for it", async () => {
  const { cluster, received } = await serving(() => [404, { message: "not found" }]);
  const pool = { apiVersion: "projectcalico.org/v3", kind: "IPPool", metadata: { name: "a" } };
  await deleteObject(cluster, objectOperation(pool), "app.dev", AbortSignal.timeout(60_000));
  expect(received.map(({ url }) => url)).toEqual(["/apis/projectcalico.org/v3"]);
});

test("clusterOf() takes a token from a file beside the kubeconfig", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runner-token-"));
  const { kubeconfig, received } = await serving(() => [404, { message: "not found" }]);
  writeFileSync(join(folder, "token"), "from-a-file");
  const { api } = clusterOf(kubeconfig.replace("user: {}", "user: { tokenFile: token }"), undefined, folder);
  expect(await findObject(api, "/version")).toBeUndefined();
  expect(received[0]?.authorization).toBe("Bearer from-a-file");
  rmSync(folder, { recursive: true });
});
