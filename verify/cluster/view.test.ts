import type { V1Pod } from "@kubernetes/client-node";
import { expect, test } from "vitest";
import { agentOn, type ClusterView } from "./view.ts";

const pod = (namespace: string): V1Pod => ({
  metadata: { namespace, name: `agent-of-${namespace}`, labels: { "k8s-app": "ebpf-dataplane" } },
  spec: { nodeName: "master", containers: [] },
  status: { phase: "Running" },
});

test("a pod with the agents' label in another namespace is not an agent", () => {
  const found = (...pods: V1Pod[]) =>
    agentOn({ pods, agentNamespace: "ebpf-dataplane" } as unknown as ClusterView, "master")?.metadata?.name;
  expect(found(pod("tenant"), pod("ebpf-dataplane"))).toBe("agent-of-ebpf-dataplane");
  expect(found(pod("tenant"))).toBeUndefined();
});
