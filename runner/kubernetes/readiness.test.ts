import { expect, test } from "vitest";
import type { ApiObject } from "../../kubernetes/object.ts";
import { readiness } from "./readiness.ts";

const daemonSet = (status: object, updateStrategy = { type: "RollingUpdate" }) => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name: "agent", generation: 3 },
  spec: { updateStrategy },
  status: { observedGeneration: 3, desiredNumberScheduled: 2, ...status },
});
const conditioned = (apiVersion: string, kind: string, ...conditions: object[]) => ({
  apiVersion,
  kind,
  status: { conditions },
});
const CRD = ["apiextensions.k8s.io/v1", "CustomResourceDefinition"] as const;

test.each<[string, ApiObject, boolean, string]>([
  ["stored is enough", { apiVersion: "v1", kind: "ConfigMap" }, true, ""],
  [
    "a namespace being deleted",
    { apiVersion: "v1", kind: "Namespace", status: { phase: "Terminating" } },
    false,
    "phase is Terminating",
  ],
  [
    "an older generation",
    daemonSet({ observedGeneration: 2, updatedNumberScheduled: 2, numberAvailable: 2 }),
    false,
    "has not seen",
  ],
  [
    "half a rollout",
    daemonSet({ updatedNumberScheduled: 1, numberAvailable: 2 }),
    false,
    "1 of 2 nodes run the new pod",
  ],
  [
    "pods not ready",
    daemonSet({ updatedNumberScheduled: 2, numberAvailable: 1 }),
    false,
    "1 of 2 nodes have a ready pod",
  ],
  ["a complete rollout", daemonSet({ updatedNumberScheduled: 2, numberAvailable: 2 }), true, ""],
  [
    "pods replaced by hand",
    daemonSet({ updatedNumberScheduled: 0, numberAvailable: 2 }, { type: "OnDelete" }),
    true,
    "",
  ],
  ["a definition in progress", conditioned(...CRD), false, "condition Established is not reported yet"],
  ["a definition", conditioned(...CRD, { type: "Established", status: "True" }), true, ""],
  ["a service", { apiVersion: "v1", kind: "Service", spec: { type: "NodePort" } }, true, ""],
  [
    "a load balancer",
    { apiVersion: "v1", kind: "Service", spec: { type: "LoadBalancer" } },
    false,
    "has no address yet",
  ],
])("readiness() of %s", (_, object, ready, reason) => {
  const state = readiness(object);
  expect(state.ready).toBe(ready);
  expect(state.reason).toContain(reason);
});

test.each<[string, ApiObject]>([
  ["taken names", conditioned(...CRD, { type: "NamesAccepted", status: "False", message: "taken" })],
  ["a failed job", conditioned("batch/v1", "Job", { type: "Failed", status: "True" })],
])("readiness() gives up on %s", (_, object) => {
  expect(readiness(object)).toMatchObject({ ready: false, hopeless: true });
});
