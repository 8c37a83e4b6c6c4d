import { z } from "zod";
import { apiVersionOf, type Kind, kinds } from "../../model/objects/kinds.ts";
import { metadata } from "../../model/objects/metadata.ts";

/** A Kubernetes object as declared. */
export interface WrittenObject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string };
  [field: string]: unknown;
}

const labels = z.record(z.string(), z.string()).default({});
const containerSchema = z.looseObject({ image: z.string().optional() });
const podTemplate = z.object({
  metadata: z.object({ labels }).prefault({}),
  spec: z.object({
    containers: z.array(containerSchema).default([]),
    initContainers: z.array(containerSchema).default([]),
    hostNetwork: z.boolean().default(false),
    nodeName: z.string().optional(),
    /** Kubernetes gives pods that name none this one. */
    serviceAccountName: z.string().default("default"),
    nodeSelector: z.record(z.string(), z.string()).default({}),
  }),
});

const template = z.object({
  metadata: metadata.pick({ name: true, namespace: true }),
  spec: z.object({ replicas: z.int().optional(), template: podTemplate }),
});
const cronJob = z.object({
  metadata: metadata.pick({ name: true, namespace: true }),
  spec: z.object({ jobTemplate: z.object({ spec: z.object({ template: podTemplate }) }) }),
});
const barePod = podTemplate.extend({
  metadata: metadata.pick({ name: true, namespace: true }).extend({ labels: labels.nullish() }),
});

/** Whether an object is of this kind. Other groups have kinds of the same names. */
export function isOf(kind: Kind, object: WrittenObject): boolean {
  return object.kind === kind.kind && (object.apiVersion ?? "v1") === apiVersionOf(kind);
}

/** Identical pods. */
export interface Workload {
  kind: string;
  namespace: string;
  name: string;
  labels: Record<string, string>;
  /** Absent: one per node, or not known. */
  replicas?: number;
  hostNetwork: boolean;
  serviceAccountName: string;
  /** The node that the object binds them to, if any. */
  node?: string;
  /** As the API knows them. */
  containers: Record<string, unknown>[];
  initContainers: Record<string, unknown>[];
}

const TEMPLATED = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"];

/** The pods that an object creates; undefined if it creates none, or is not known yet. */
export function workloadOf(object: WrittenObject): Workload | undefined {
  if (isOf(kinds.pods, object)) {
    const pod = barePod.safeParse(object).data;
    const own = { ...pod?.metadata, labels: pod?.metadata.labels ?? {} };
    return pod && podWorkload("Pod", pod.metadata, 1, { metadata: own, spec: pod.spec });
  }
  if (object.kind === "CronJob") {
    const job = cronJob.safeParse(object).data;
    return job && podWorkload("CronJob", job.metadata, undefined, job.spec.jobTemplate.spec.template);
  }
  if (!TEMPLATED.includes(object.kind ?? "")) return undefined;
  const written = template.safeParse(object).data;
  const replicas = object.kind === "DaemonSet" ? undefined : (written?.spec.replicas ?? 1);
  return written && podWorkload(object.kind ?? "", written.metadata, replicas, written.spec.template);
}

function podWorkload(
  kind: string,
  { name, namespace }: { name: string; namespace?: string | null | undefined },
  replicas: number | undefined,
  { metadata, spec }: z.output<typeof podTemplate>,
): Workload {
  const node = spec.nodeName ?? spec.nodeSelector["kubernetes.io/hostname"];
  return {
    kind,
    namespace: namespace ?? "default",
    name,
    labels: metadata.labels,
    ...(replicas !== undefined && { replicas }),
    hostNetwork: spec.hostNetwork,
    serviceAccountName: spec.serviceAccountName,
    ...(node && { node }),
    containers: spec.containers,
    initContainers: spec.initContainers,
  };
}

const servicePort = z.object({
  name: z.string().nullish(),
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  port: z.int(),
  targetPort: z.union([z.int(), z.string()]).nullish(),
  nodePort: z.int().nullish(),
});

const serviceSchema = z.object({
  metadata: metadata.pick({ name: true, namespace: true }).extend({
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    type: z.string().default("ClusterIP"),
    selector: z.record(z.string(), z.string()).default({}),
    ports: z.array(servicePort).default([]),
    externalIPs: z.array(z.string()).default([]),
    externalTrafficPolicy: z.string().default("Cluster"),
    loadBalancerClass: z.string().nullish(),
  }),
});

export interface Service {
  namespace: string;
  name: string;
  annotations: Record<string, string>;
  spec: z.output<typeof serviceSchema>["spec"];
}

export function serviceOf(object: WrittenObject): Service | undefined {
  if (!isOf(kinds.services, object)) return undefined;
  const service = serviceSchema.safeParse(object).data;
  if (!service) return undefined;
  const { name, namespace, annotations } = service.metadata;
  return { namespace: namespace ?? "default", name, annotations, spec: service.spec };
}

/** "nginx", or "shop/cart" outside the namespace `default`. */
export function shortName({ namespace, name }: { namespace: string; name: string }): string {
  return namespace === "default" ? name : `${namespace}/${name}`;
}
