import type { V1Pod } from "@kubernetes/client-node";
import { createObject } from "../../kubernetes/create.ts";
import { isRefusal } from "../../kubernetes/errors.ts";
import { listObjects } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { STEP_LABEL } from "./step.ts";

/** Whether a drain evicts a pod: all but pods of DaemonSets, static pods, finished pods and the upgrade's own. */
function mustGo({ metadata, status }: V1Pod): boolean {
  const isStatic = metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
  const isOfDaemonSet = metadata?.ownerReferences?.some(({ kind, controller }) => controller && kind === "DaemonSet");
  const isOurs = metadata?.labels?.[STEP_LABEL] !== undefined;
  const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
  return !isStatic && !isOfDaemonSet && !isOurs && !hasEnded;
}

/** Pods without a controller that would re-create them. */
export async function irreplaceable(api: Api, nodes: string[]): Promise<string[]> {
  const pods = (await Promise.all(nodes.map((node) => podsOn(api, node)))).flat();
  return pods.filter(({ metadata }) => !metadata?.ownerReferences?.some(({ controller }) => controller)).map(nameOf);
}

/**
 * Evicts the pods of a node, respecting PodDisruptionBudgets. Call it until it returns undefined.
 * @returns the remaining pods and the reason, in a few words
 */
export async function evictFrom(api: Api, node: string): Promise<string | undefined> {
  const pods = await podsOn(api, node);
  const refusals = await Promise.all(
    pods.filter(({ metadata }) => !metadata?.deletionTimestamp).map((pod) => evict(api, pod)),
  );
  const held = refusals.filter((refusal) => refusal !== undefined);
  if (held.length > 0) return `${node}: ${held.join("; ")}`;
  return pods.length > 0 ? `${node}: ${pods.map(nameOf).join(", ")} to end` : undefined;
}

/** @returns why the pod cannot be evicted now */
async function evict(api: Api, pod: V1Pod): Promise<string | undefined> {
  const { name = "", namespace = "", uid } = pod.metadata ?? {};
  // Only this pod, not a newer one of a StatefulSet with the same name.
  const body = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  try {
    await createObject(api, `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, body);
    return undefined;
  } catch (error) {
    if (isRefusal(error, 404, 409)) return undefined; // gone, or replaced
    if (isRefusal(error, 429)) return `${nameOf(pod)} is blocked by its PodDisruptionBudget`;
    throw error;
  }
}

async function podsOn(api: Api, node: string): Promise<V1Pod[]> {
  const query = { fieldSelector: `spec.nodeName=${node}` };
  return (await listObjects<V1Pod>(api, "/api/v1/pods", query)).filter(mustGo);
}

const nameOf = ({ metadata }: V1Pod): string => `${metadata?.namespace}/${metadata?.name}`;
