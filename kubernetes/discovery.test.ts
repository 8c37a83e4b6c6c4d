import { afterEach, beforeEach, expect, test } from "vitest";
import { Discovery, UnknownKind } from "./discovery.ts";
import { apiServerOf, kubeconfigOf } from "./kubeconfig.ts";
import { fakeApiServer } from "./testing/fake-api-server.ts";

let discovery: Discovery;
let received: { url: string }[];
let close: () => void;
beforeEach(async () => {
  const server = await fakeApiServer(() => [404, { message: "not found" }]);
  ({ close, received } = server);
  discovery = new Discovery(apiServerOf(kubeconfigOf(server.kubeconfig)));
});
afterEach(() => close());

test.each([
  ["v1", "Namespace", { name: "a" }, "/api/v1/namespaces/a"],
  ["v1", "ConfigMap", { name: "a", namespace: "b" }, "/api/v1/namespaces/b/configmaps/a"],
  ["v1", "ConfigMap", { name: "a" }, "/api/v1/namespaces/default/configmaps/a"],
  ["apps/v1", "Deployment", { name: "a:b/c" }, "/apis/apps/v1/namespaces/default/deployments/a%3Ab%2Fc"],
])("the path of %s %s %j", async (apiVersion, kind, metadata, path) => {
  expect(await discovery.path({ apiVersion, kind, metadata })).toBe(path);
});

test.each([
  ["v1", "Pod"],
  ["example.com/v1", "Thing"],
])("%s %s is unknown, and is asked for again, since its definition may come", async (apiVersion, kind) => {
  const path = () => discovery.path({ apiVersion, kind, metadata: { name: "a" } });
  await expect(path()).rejects.toThrow(UnknownKind);
  await expect(path()).rejects.toMatchObject({
    status: 404,
    message: `the cluster has no kind ${kind} in ${apiVersion}`,
  });
  expect(received).toHaveLength(apiVersion === "v1" ? 0 : 2); // requests for discovery are not recorded
});

test("kinds that can be listed and deleted, without subresources", async () => {
  const kinds = (await discovery.deletable()).map(({ groupPath, name }) => `${groupPath}/${name}`);
  expect(kinds).toEqual([
    "/api/v1/namespaces",
    "/api/v1/configmaps",
    "/api/v1/secrets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  ]);
});
