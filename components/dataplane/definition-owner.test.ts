import { expect, test } from "vitest";
import { DEFINITION_LABELS, strangerOf } from "./definition-owner.ts";

const writer = (manager: string, fieldsV1: object = { "f:spec": {} }, subresource?: string) => ({
  manager,
  fieldsV1,
  ...(subresource && { subresource }),
});
const labels = DEFINITION_LABELS;

test.each([
  ["the runner's", { managedFields: [writer("ebpf-dataplane-runner")] }],
  ["Pulumi's, with the mark", { labels, managedFields: [writer("pulumi-kubernetes-1a2b"), writer("ebpf-dataplane")] }],
  [
    "with the API server's status",
    { labels, managedFields: [writer("ebpf-dataplane"), writer("kube-apiserver", { "f:status": {} }, "status")] },
  ],
  [
    "with a label of somebody else's",
    { labels, managedFields: [writer("ebpf-dataplane"), writer("kubectl", { "f:metadata": {} })] },
  ],
])("a definition %s is this package's", (_, metadata) => {
  expect(strangerOf({ metadata })).toBeUndefined();
});

test.each([
  ["kubectl-client-side-apply", { managedFields: [writer("kubectl-client-side-apply")] }],
  ["tigera-operator", { labels, managedFields: [writer("ebpf-dataplane"), writer("tigera-operator")] }],
  ["pulumi-kubernetes-9", { managedFields: [writer("pulumi-kubernetes-9")] }],
  ["Helm release calico", { annotations: { "meta.helm.sh/release-name": "calico" }, managedFields: [writer("helm")] }],
  ["somebody", {}],
])("a definition of %s is not", (stranger, metadata) => {
  expect(strangerOf({ metadata })).toBe(stranger);
});
