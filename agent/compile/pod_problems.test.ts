import { expect, test } from "vitest";
import { pod } from "../api/core.ts";
import { podProblems } from "./pod_problems.ts";

const parsed = (spec: object, metadata: object = {}) =>
  pod.parse({ metadata: { name: "web", namespace: "shop", ...metadata }, spec: { nodeName: "node", ...spec } });
const container = { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8099 }] };

test("podProblems() tells which port of the node does not answer, and which limits do not hold", () => {
  const annotations = { "kubernetes.io/egress-bandwidth": "10M", "kubernetes.io/ingress-bandwidth": "1M" };
  const found = podProblems(
    [parsed({ containers: [container], initContainers: [container] }, { annotations })],
    "node",
  );
  expect(found.map(({ kind, namespace, name, path }) => `${kind} ${namespace}/${name} ${path}`)).toEqual([
    "Pod shop/web spec.initContainers[0].ports[1].hostPort",
    "Pod shop/web spec.containers[0].ports[1].hostPort",
    "Pod shop/web metadata.annotations[kubernetes.io/ingress-bandwidth]",
    "Pod shop/web metadata.annotations[kubernetes.io/egress-bandwidth]",
  ]);
  expect(found[1]?.message).toContain("at port 8099 of its node");
});

test("podProblems() leaves other nodes' pods to them, and pods on the node's network as they are", () => {
  const elsewhere = parsed({ containers: [container], nodeName: "other" });
  const host = parsed({ containers: [container], hostNetwork: true });
  expect(podProblems([elsewhere, host, parsed({ containers: [{ ports: [] }] })], "node")).toEqual([]);
});
