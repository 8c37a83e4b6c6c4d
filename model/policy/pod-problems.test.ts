import { expect, test } from "vitest";
import { namespace, pod } from "../objects/core.ts";
import { networkPolicy } from "../objects/networking.ts";
import { namespaceProblems, podProblems } from "./pod-problems.ts";

const parsed = (spec: object, metadata: object = {}, status: object = {}) =>
  pod.parse({
    metadata: { name: "web", namespace: "shop", ...metadata },
    spec: { nodeName: "node", containers: [], ...spec },
    status,
  });
const annotations = { "kubernetes.io/egress-bandwidth": "10M", "kubernetes.io/ingress-bandwidth": "1M" };
const policy = (name: string, podSelector: object, where = "shop") =>
  networkPolicy.parse({ metadata: { name, namespace: where }, spec: { podSelector } });
const inWords = (found: ReturnType<typeof podProblems>) =>
  found.map(({ kind, namespace, name, path }) => `${kind} ${namespace}/${name} ${path}`);

test.each([
  "kubernetes.io/ingress-bandwidth",
  "kubernetes.io/egress-bandwidth",
  "qos.projectcalico.org/ingressBandwidth",
  "qos.projectcalico.org/egressMaxConnections",
  "qos.projectcalico.org/dscp",
  "cni.projectcalico.org/ipAddrsNoIpam",
  "cni.projectcalico.org/floatingIPs",
  "cni.projectcalico.org/hwAddr",
  "cni.projectcalico.org/allowedSourcePrefixes",
])("podProblems() reports %s, which has no effect", (annotation) => {
  const found = podProblems([parsed({}, { annotations: { [annotation]: "x" } })], [], "node");
  expect(inWords(found)).toEqual([`Pod shop/web metadata.annotations[${annotation}]`]);
});

test("namespaceProblems() reports addresses, which only a pod can ask for", () => {
  const ipAddrs = { "cni.projectcalico.org/ipAddrs": '["10.244.0.7"]' };
  const shop = namespace.parse({ metadata: { name: "shop", annotations: ipAddrs } });
  expect(namespaceProblems([shop]).map(({ kind, name, path }) => `${kind} ${name} ${path}`)).toEqual([
    "Namespace shop metadata.annotations[cni.projectcalico.org/ipAddrs]",
  ]);
});

test("podProblems() says nothing of what others have written, of other nodes' pods, and of those that have ended", () => {
  const calicos = parsed({}, { annotations: { "cni.projectcalico.org/podIP": "10.244.0.9/32", "example.org/a": "b" } });
  const elsewhere = parsed({ nodeName: "other" }, { annotations });
  const ended = parsed({}, { annotations }, { phase: "Succeeded" });
  expect(podProblems([calicos, elsewhere, ended, parsed({})], [policy("all", {})], "node")).toEqual([]);
});

test("podProblems() tells that no policy holds for a pod on its node's network", () => {
  const host = parsed({ hostNetwork: true }, { annotations, labels: { app: "proxy" } });
  const policies = [
    policy("deny", {}),
    policy("proxies", { matchLabels: { app: "proxy" } }),
    policy("others", { matchLabels: { app: "web" } }),
    policy("elsewhere", {}, "office"),
  ];
  const found = podProblems([host], policies, "node");
  expect(inWords(found)).toEqual(["Pod shop/web spec.hostNetwork"]);
  expect(found[0]?.message).toContain("NetworkPolicy deny, proxies does not hold");
  expect(podProblems([host], policies.slice(2), "node")).toEqual([]);
});
