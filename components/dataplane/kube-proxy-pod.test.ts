import { expect, test } from "vitest";
import { isKubeProxyOn } from "./kube-proxy-pod.ts";

const labels = { "k8s-app": "kube-proxy" };

test.each<[string, string, Record<string, string>, string, boolean]>([
  ["kubeadm's and EKS's", "kube-system", labels, "node", true],
  ["the one that serviceHandling deploys", "ebpf-dataplane", labels, "node", true],
  ["a tenant's pod with the label", "tenant", labels, "node", false],
  ["another pod of the system", "kube-system", { "k8s-app": "kube-dns" }, "node", false],
  ["the pod of another node", "kube-system", labels, "master", false],
])("kube-proxy on a node: %s", (_, namespace, written, nodeName, expected) => {
  expect(
    isKubeProxyOn("node", "ebpf-dataplane", { metadata: { namespace, labels: written }, spec: { nodeName } }),
  ).toBe(expected);
});

test("a pod without a node or labels is not kube-proxy", () => {
  expect(isKubeProxyOn("node", "ebpf-dataplane", { metadata: { namespace: "kube-system", labels } })).toBe(false);
  expect(
    isKubeProxyOn("node", "ebpf-dataplane", { metadata: { namespace: "kube-system" }, spec: { nodeName: "node" } }),
  ).toBe(false);
});
