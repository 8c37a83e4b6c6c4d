import { afterEach, expect, test } from "vitest";
import { type Answer, fakeApiServer, type Received } from "../../kubernetes/testing/fake-api-server.ts";
import { applyObject, clusterOf, deleteObject } from "./apply.ts";

let close = () => {};
afterEach(() => close());

const NAME = "ippools.projectcalico.org";
const spec = { group: "projectcalico.org", names: { kind: "IPPool", plural: "ippools" }, versions: [{ name: "v3" }] };
const stored = (manager: string) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: NAME, managedFields: [{ manager, fieldsV1: { "f:spec": {} } }] },
  spec,
  status: { conditions: [{ type: "Established", status: "True" }] },
});
const operation = {
  type: "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
  name: "crd",
  urn: "",
  parent: "",
  references: {},
  provider: "",
  custom: true,
  inputs: { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: NAME }, spec },
};
const progress = { reportDue: () => false, waiting: () => {}, line: () => {} };

/** A cluster with a definition of a manager, and so many objects of it. */
async function clusterWith(manager: string | undefined, pools = 0) {
  let there = manager !== undefined;
  const answer = ({ method, url }: Received): Answer => {
    if (url.startsWith("/apis/projectcalico.org/v3/ippools")) return [200, { items: Array(pools).fill({}) }];
    if (method === "DELETE") there = false;
    if (method === "PATCH") return [200, stored("ebpf-dataplane-runner")];
    return there ? [200, stored(manager ?? "")] : [404, { message: "not found" }];
  };
  const { received, kubeconfig, close: stop } = await fakeApiServer(answer);
  close = stop;
  const written = () => received.filter(({ method }) => method !== "GET").map(({ method }) => method);
  return { cluster: clusterOf(kubeconfig), written };
}

test.each([
  [undefined, ["PATCH"]],
  ["ebpf-dataplane-runner", ["PATCH"]],
])("a definition of %s is applied", async (manager, expected) => {
  const { cluster, written } = await clusterWith(manager);
  await applyObject(() => cluster)(operation, progress, AbortSignal.timeout(60_000));
  expect(written()).toEqual(expected);
});

test("a definition of Calico is not changed, and the deployment ends with the next step", async () => {
  const { cluster, written } = await clusterWith("tigera-operator");
  const applied = applyObject(() => cluster)(operation, progress, AbortSignal.timeout(60_000));
  await expect(applied).rejects.toThrow(`the definition ${NAME} already exists and belongs to tigera-operator`);
  await expect(applied).rejects.toMatchObject({ next: expect.stringContaining(`kubectl delete crd ${NAME}`) });
  expect(written()).toEqual([]);
});

test.each([
  ["ebpf-dataplane-runner", 0, ["DELETE"]],
  ["ebpf-dataplane-runner", 1, []],
  ["tigera-operator", 0, []],
])("when all is removed, a definition of %s with %i objects: %j", async (manager, pools, expected) => {
  const { cluster, written } = await clusterWith(manager, pools);
  await deleteObject(cluster, operation, "p.s", AbortSignal.timeout(60_000));
  expect(written()).toEqual(expected);
});
