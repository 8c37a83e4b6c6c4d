import type { ApiObject } from "../../kubernetes/object.ts";

/** Whether an object can be used. */
export interface Readiness {
  ready: boolean;
  /** What is missing, for people. */
  reason: string;
  /** Waiting longer is of no use. */
  hopeless?: boolean;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}
type Status = Record<string, number | undefined> & { conditions?: Condition[]; phase?: string; loadBalancer?: unknown };

const READY: Readiness = { ready: true, reason: "" };

/** Kinds that need time to become usable; every other kind is ready as soon as it is stored. */
const RULES: Record<string, (object: ApiObject, status: Status) => Readiness> = {
  "v1/Namespace": (_, status) => unless(status.phase === "Active", `phase is ${status.phase ?? "unknown"}`),
  "v1/Pod": (_, status) => conditionTrue(status, "Ready"),
  "v1/Service": (object, status) => loadBalancer(object, status),
  "apiextensions.k8s.io/v1/CustomResourceDefinition": (_, status) => definition(status),
  "apps/v1/DaemonSet": (object, status) => observed(object, status) ?? daemonSet(object, status),
  "apps/v1/Deployment": (object, status) => observed(object, status) ?? deployment(object, status),
  "apps/v1/StatefulSet": (object, status) => observed(object, status) ?? statefulSet(object, status),
  "batch/v1/Job": (_, status) => job(status),
};

/** Judges a live object by its status. */
export function readiness(object: ApiObject): Readiness {
  const annotations = (object.metadata as { annotations?: Record<string, string> } | undefined)?.annotations;
  if (annotations?.["pulumi.com/skipAwait"] === "true") return READY;
  const rule = RULES[`${object.apiVersion}/${object.kind}`];
  return rule ? rule(object, (object.status ?? {}) as Status) : READY;
}

function unless(ready: boolean, reason: string): Readiness {
  return ready ? READY : { ready, reason };
}

/** A status is about the object as applied only when its controller has seen this generation. */
function observed(object: ApiObject, status: Status): Readiness | undefined {
  if ((status.observedGeneration ?? 0) >= (object.metadata?.generation ?? 0)) return undefined;
  return { ready: false, reason: "its controller has not seen the change yet" };
}

function daemonSet(object: ApiObject, status: Status): Readiness {
  const strategy = (object.spec as { updateStrategy?: { type?: string } }).updateStrategy?.type;
  const { desiredNumberScheduled: desired = 0, updatedNumberScheduled: updated = 0, numberAvailable = 0 } = status;
  if (strategy !== "OnDelete" && updated < desired)
    return unless(false, `${updated} of ${desired} nodes run the new pod`);
  return unless(numberAvailable >= desired, `${numberAvailable} of ${desired} nodes have a ready pod`);
}

function deployment(object: ApiObject, status: Status): Readiness {
  const wanted = (object.spec as { replicas?: number }).replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  const progressing = condition(status, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded") {
    return { ready: false, reason: progressing.message ?? progressing.reason, hopeless: true };
  }
  if (updatedReplicas < wanted) return unless(false, `${updatedReplicas} of ${wanted} new pods exist`);
  if (replicas > updatedReplicas) return unless(false, `${replicas - updatedReplicas} old pods still run`);
  return unless(availableReplicas >= wanted, `${availableReplicas} of ${wanted} pods are ready`);
}

function statefulSet(object: ApiObject, status: Status): Readiness {
  const wanted = (object.spec as { replicas?: number }).replicas ?? 1;
  const ready = Math.min(status.readyReplicas ?? 0, status.updatedReplicas ?? 0);
  return unless(ready >= wanted, `${ready} of ${wanted} pods are ready`);
}

function definition(status: Status): Readiness {
  const names = condition(status, "NamesAccepted");
  if (names?.status === "False")
    return { ready: false, reason: names.message ?? "its names are taken", hopeless: true };
  return conditionTrue(status, "Established");
}

function job(status: Status): Readiness {
  const failed = condition(status, "Failed");
  if (failed?.status === "True") return { ready: false, reason: failed.message ?? "the job failed", hopeless: true };
  return conditionTrue(status, "Complete");
}

function loadBalancer(object: ApiObject, status: Status): Readiness {
  if ((object.spec as { type?: string }).type !== "LoadBalancer") return READY;
  const ingress = (status.loadBalancer as { ingress?: unknown[] } | undefined)?.ingress ?? [];
  return unless(ingress.length > 0, "the load balancer has no address yet");
}

function conditionTrue(status: Status, type: string): Readiness {
  const found = condition(status, type);
  return unless(found?.status === "True", found?.message ?? `condition ${type} is not reported yet`);
}

function condition(status: Status, type: string): Condition | undefined {
  return status.conditions?.find((candidate) => candidate.type === type);
}
