import { listObjects } from "./get.ts";
import type { ApiObject } from "./object.ts";
import type { Api } from "./transport.ts";

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    terminated?: { reason?: string; exitCode?: number; message?: string };
  };
  lastState?: { terminated?: { reason?: string; exitCode?: number } };
}
/** The part of a pod that says why it is not ready. */
export interface PodStatus {
  metadata: { name: string };
  spec: { nodeName?: string };
  status?: {
    phase?: string;
    conditions?: { type: string; status: string; message?: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

interface Warning {
  involvedObject: { name: string };
  reason: string;
  message: string;
  lastTimestamp?: string;
}

/** Why the pods of a workload are not ready, one line per pod. */
export async function explainPods(api: Api, workload: ApiObject): Promise<string[]> {
  const selector = (workload.spec as { selector?: { matchLabels?: Record<string, string> } } | undefined)?.selector;
  if (!selector?.matchLabels) return [];
  const labels = Object.entries(selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const namespace = workload.metadata?.namespace ?? "default";
  const query = { labelSelector: labels.join(",") };
  const pods = await listObjects<PodStatus>(api, `/api/v1/namespaces/${namespace}/pods`, query);
  if (pods.length === 0) return ["no pod exists: see the events of the namespace"];
  const warnings = await warningsOf(api, namespace);
  return pods.flatMap((pod) => troubleOf(namespace, pod, warnings.get(pod.metadata.name)));
}

/** The newest warning about each object of a namespace: problems with volumes, network and images are reported only there. */
async function warningsOf(api: Api, namespace: string): Promise<Map<string, string>> {
  const query = { fieldSelector: "type=Warning,involvedObject.kind=Pod" };
  const events = await listObjects<Warning>(api, `/api/v1/namespaces/${namespace}/events`, query);
  events.sort((one, other) => (one.lastTimestamp ?? "").localeCompare(other.lastTimestamp ?? ""));
  return new Map(events.map(({ involvedObject, reason, message }) => [involvedObject.name, `${reason}: ${message}`]));
}

/** Why a pod is not ready; empty: it is. @param warning its newest Event */
export function troubleOf(namespace: string, pod: PodStatus, warning: string | undefined): string[] {
  const where = `pod ${namespace}/${pod.metadata.name} on ${pod.spec.nodeName ?? "no node"}`;
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const troubles = containers.map(containerTrouble).filter((trouble) => trouble !== "");
  const conditions = pod.status?.conditions ?? [];
  if (conditions.some(({ type, status }) => type === "Ready" && status === "True")) return [];
  const messages = conditions
    .filter(({ status, message }) => status === "False" && message)
    .map(({ message }) => message);
  const reasons = troubles.length > 0 ? troubles : messages;
  return [`${where}: ${[...reasons, warning].filter(Boolean).join("; ") || pod.status?.phase || "unknown"}`];
}

function containerTrouble({ name, ready, restartCount, state, lastState }: ContainerStatus): string {
  const now = state?.waiting ?? state?.terminated;
  if (ready || now?.reason === "Completed") return "";
  const before = lastState?.terminated;
  const parts = [
    now ? [now.reason, now.message].filter(Boolean).join(": ") : "runs, but its readiness probe fails",
    before ? `ended before with ${before.reason} (exit code ${before.exitCode}), ${restartCount} restarts` : "",
  ];
  return `container ${name}: ${parts.filter(Boolean).join("; ")}`;
}
