import { z } from "zod";
import { list, metadata } from "./metadata.ts";

// Kubernetes core/v1: the fields that matter to a dataplane.

/** The cluster autoscaler's, on a node that it is about to delete. */
const TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler";

export const node = z.object({
  metadata,
  spec: z
    .object({
      taints: list(z.object({ key: z.string() })),
      unschedulable: z.boolean().nullish(),
      podCIDRs: list(z.string()),
    })
    .nullish()
    .transform((spec) => ({
      taints: (spec?.taints ?? []).filter(({ key }) => key === TO_BE_DELETED),
      // Also before a drain.
      isCordoned: spec?.unschedulable === true,
      podCIDRs: spec?.podCIDRs ?? [],
    })),
  status: z
    .object({
      addresses: list(z.object({ type: z.string(), address: z.string() })),
      conditions: list(z.object({ type: z.string(), status: z.string() })),
    })
    .nullish()
    .transform((status) => ({
      addresses: status?.addresses ?? [],
      // Until the kubelet reports a status, and if it never does.
      isReady: (status?.conditions.find(({ type }) => type === "Ready")?.status ?? "True") === "True",
    })),
});
export type Node = z.infer<typeof node>;

/** Whether load balancers should stop sending new connections to the node: it is being deleted. */
export function isLeaving({ metadata, spec }: Node): boolean {
  return Boolean(metadata.deletionTimestamp) || spec.taints.length > 0;
}

export const namespace = z.object({ metadata });
export type Namespace = z.infer<typeof namespace>;

/** Policies select by its name and labels. */
export const serviceAccount = z.object({ metadata });
export type ServiceAccount = z.infer<typeof serviceAccount>;

const containerPort = z.object({
  name: z.string().nullish(),
  containerPort: z.int().min(1).max(65535),
  hostPort: z.int().min(0).max(65535).nullish(),
  hostIP: z.string().nullish(),
  protocol: z.string().nullish(),
});
const container = z.object({ ports: list(containerPort), restartPolicy: z.string().nullish() });

export const pod = z.object({
  metadata,
  spec: z.object({
    nodeName: z.string().nullish(),
    hostNetwork: z.boolean().nullish(),
    serviceAccountName: z.string().nullish(),
    containers: list(container),
    initContainers: list(container),
  }),
  status: z
    .object({ phase: z.string().nullish(), podIPs: list(z.object({ ip: z.string() })) })
    .nullish()
    .transform((status) => status ?? { phase: undefined, podIPs: [] }),
});
export type Pod = z.infer<typeof pod>;

/** A pod that has ended has no network any more; its address may belong to another pod. */
export function hasEnded({ status }: Pod): boolean {
  return status.phase === "Succeeded" || status.phase === "Failed";
}

const servicePort = z.object({
  name: z.string().nullish(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).nullish(),
  port: z.int().min(1).max(65535),
  nodePort: z.int().min(0).max(65535).nullish(),
});
export type ServicePort = z.infer<typeof servicePort>;

export const service = z.object({
  metadata,
  spec: z.object({
    type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).nullish(),
    clusterIP: z.string().nullish(),
    clusterIPs: list(z.string()),
    ipFamilies: list(z.enum(["IPv4", "IPv6"])),
    ipFamilyPolicy: z.string().nullish(),
    ports: list(servicePort),
    externalIPs: list(z.string()),
    externalTrafficPolicy: z.enum(["Cluster", "Local"]).nullish(),
    internalTrafficPolicy: z.enum(["Cluster", "Local"]).nullish(),
    sessionAffinity: z.enum(["None", "ClientIP"]).nullish(),
    sessionAffinityConfig: z
      .object({ clientIP: z.object({ timeoutSeconds: z.int().positive().nullish() }).nullish() })
      .nullish(),
    publishNotReadyAddresses: z.boolean().nullish(),
    loadBalancerSourceRanges: list(z.string()),
    loadBalancerIP: z.string().nullish(),
    loadBalancerClass: z.string().nullish(),
    healthCheckNodePort: z.int().nullish(),
  }),
  status: z
    .object({
      loadBalancer: z
        .object({ ingress: list(z.object({ ip: z.string().nullish(), ipMode: z.string().nullish() })) })
        .nullish(),
    })
    .nullish(),
});
export type Service = z.infer<typeof service>;
