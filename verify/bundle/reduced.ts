// Nodes and the dataplane's own pods: only the fields that show their state. Their specs may hold secrets, so nothing is copied as a whole.
import type { V1DaemonSet, V1Node, V1Pod } from "@kubernetes/client-node";

export function reducedNode({ metadata, spec, status }: V1Node) {
  return {
    name: metadata?.name,
    createdAt: metadata?.creationTimestamp,
    labels: metadata?.labels,
    spec: { podCIDRs: spec?.podCIDRs, taints: spec?.taints, unschedulable: spec?.unschedulable },
    addresses: status?.addresses,
    conditions: status?.conditions,
    nodeInfo: status?.nodeInfo,
    capacity: status?.capacity,
    allocatable: status?.allocatable,
  };
}

export function reducedPod({ metadata, spec, status }: V1Pod) {
  return {
    namespace: metadata?.namespace,
    name: metadata?.name,
    createdAt: metadata?.creationTimestamp,
    deletedAt: metadata?.deletionTimestamp,
    node: spec?.nodeName,
    containers: spec?.containers.map(({ name, image, resources }) => ({ name, image, resources })),
    phase: status?.phase,
    reason: status?.reason,
    message: status?.message,
    conditions: status?.conditions,
    containerStatuses: status?.containerStatuses?.map(({ name, ready, restartCount, state, lastState, imageID }) => ({
      ...{ name, ready, restartCount, state, lastState, imageID },
    })),
  };
}

export function reducedDaemonSet({ metadata, spec, status }: V1DaemonSet) {
  const pods = spec?.template.spec;
  return {
    name: metadata?.name,
    generation: metadata?.generation,
    updateStrategy: spec?.updateStrategy,
    nodeSelector: pods?.nodeSelector,
    affinity: pods?.affinity,
    tolerations: pods?.tolerations,
    priorityClassName: pods?.priorityClassName,
    containers: pods?.containers.map(({ name, image, resources, env }) => ({
      ...{ name, image, resources },
      env: env?.map((one) => one.name),
    })),
    status,
  };
}
