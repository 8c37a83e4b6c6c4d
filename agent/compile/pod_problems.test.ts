import { expect, test } from "vitest";
import { pod } from "../api/core.ts";
import { podProblems } from "./pod_problems.ts";

const parsed = (spec: object, metadata: object = {}) =>
  pod.parse({ metadata: { name: "web", namespace: "shop", ...metadata }, spec: { nodeName: "node", ...spec } });
const annotations = { "kubernetes.io/egress-bandwidth": "10M", "kubernetes.io/ingress-bandwidth": "1M" };

test("podProblems() tells which limits do not hold", () => {
  const found = podProblems([parsed({ containers: [] }, { annotations })], "node");
  expect(found.map(({ kind, namespace, name, path }) => `${kind} ${namespace}/${name} ${path}`)).toEqual([
    "Pod shop/web metadata.annotations[kubernetes.io/ingress-bandwidth]",
    "Pod shop/web metadata.annotations[kubernetes.io/egress-bandwidth]",
  ]);
});

test("podProblems() leaves other nodes' pods to them, and pods on the node's network as they are", () => {
  const elsewhere = parsed({ containers: [], nodeName: "other" }, { annotations });
  const host = parsed({ containers: [], hostNetwork: true }, { annotations });
  expect(podProblems([elsewhere, host, parsed({ containers: [] })], "node")).toEqual([]);
});
