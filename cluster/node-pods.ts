import { randomUUID } from "node:crypto";
import type { V1LocalObjectReference, V1Pod, V1PodSpec, V1VolumeMount } from "@kubernetes/client-node";
import { NODE_RIGHTS } from "../components/dataplane/rights.ts";
import { createObject } from "../kubernetes/create.ts";
import { deleteObjects } from "../kubernetes/delete.ts";
import { reasonOf } from "../kubernetes/errors.ts";
import { listObjects } from "../kubernetes/get.ts";
import { type Clock, realClock, until } from "../kubernetes/patience.ts";
import type { Api } from "../kubernetes/transport.ts";
import { ClusterFailure } from "./failure.ts";

/** A short command to run on several nodes, in a pod each that is removed afterwards. */
export interface NodeErrand {
  /** A word in the pods' names. */
  purpose: string;
  nodes: string[];
  image: string;
  imagePullSecrets?: V1LocalObjectReference[] | undefined;
  /** Arguments of the agent's program. */
  args: string[];
  /** The node's folders that it sees; it always has the node's network. */
  mounts: Required<Pick<V1PodSpec, "volumes">> & { volumeMounts: V1VolumeMount[] };
  seconds: number;
}

/** The command's message, or why there is none. */
export type Errand = { message: string } | { problem: string };

/** Exempt from pod restrictions, and present in every cluster. */
const PODS = "/api/v1/namespaces/kube-system/pods";
const LABEL = "ebpf-dataplane.io/errand";
const LOOK_EVERY = 500;
/** Other pods are preempted first. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Pods left by a killed run. */
const ENDED = { labelSelector: LABEL, fieldSelector: "status.phase!=Pending,status.phase!=Running" };
/** The file whose content the kubelet copies into the container's status. */
export const MESSAGE_FILE = "/dev/termination-log";

/** A check verifies all programs and creates all maps, as an agent does (components/dataplane/agent.ts). */
const RESOURCES = { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "512Mi" } };

/** Runs the errand on all nodes at once. Needs no network plugin, no scheduler, and no rights for the pods. */
export async function runOnNodes(api: Api, errand: NodeErrand, clock: Clock = realClock): Promise<Map<string, Errand>> {
  const run = randomUUID().slice(0, 8);
  const labelSelector = `${LABEL}=${run}`;
  const results = new Map<string, Errand>();
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new ClusterFailure("stopped", "run the same command again"));
  for (const signal of SIGNALS) process.on(signal, onSignal);
  let last: V1Pod[] = [];
  const look = async (): Promise<string | undefined> => {
    last = await listObjects<V1Pod>(api, PODS, { labelSelector });
    for (const pod of last) note(results, pod, ending(pod));
    return results.size >= errand.nodes.length ? undefined : "pods to end";
  };
  try {
    await deleteObjects(api, PODS, ENDED);
    await Promise.all(
      errand.nodes.map(async (node, index) => {
        const body = errandPod(errand, node, `ebpf-dataplane-${errand.purpose}-${run}-${index}`, run);
        await createObject(api, PODS, body).catch((error: unknown) => {
          results.set(node, { problem: `its pod was rejected: ${reasonOf(error)}` });
        });
      }),
    );
    await until(look, errand.seconds, () => {}, { clock, everyMs: LOOK_EVERY, signal: stop.signal });
    for (const pod of last) if (!results.has(pod.spec?.nodeName ?? "")) note(results, pod, { problem: whyNot(pod) });
    for (const node of errand.nodes) if (!results.has(node)) results.set(node, { problem: "its pod is gone" });
    return results;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    await deleteObjects(api, PODS, { labelSelector }, { gracePeriodSeconds: 0 }).catch(() => {}); // they end by themselves
  }
}

function note(results: Map<string, Errand>, { spec }: V1Pod, errand: Errand | undefined): void {
  if (errand) results.set(spec?.nodeName ?? "", errand);
}

/** The pod of an errand. */
export function errandPod(
  { image, imagePullSecrets, args, mounts, seconds }: NodeErrand,
  nodeName: string,
  name: string,
  run: string,
): V1Pod {
  const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { [LABEL]: run, "app.kubernetes.io/part-of": "ebpf-dataplane" } },
    spec: {
      nodeName,
      hostNetwork: true,
      restartPolicy: "Never",
      activeDeadlineSeconds: Math.ceil(seconds) + 30,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(imagePullSecrets && { imagePullSecrets }),
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "agent",
          image,
          imagePullPolicy: "IfNotPresent",
          args,
          env: [
            { name: "NODE_ADDRESS", ...field("status.hostIP") },
            { name: "NODE_NAME", ...field("spec.nodeName") },
          ],
          securityContext: NODE_RIGHTS,
          resources: RESOURCES,
          terminationMessagePath: MESSAGE_FILE,
          terminationMessagePolicy: "FallbackToLogsOnError",
          volumeMounts: [{ name: "tmp", mountPath: "/tmp" }, ...mounts.volumeMounts],
        },
      ],
      volumes: [{ name: "tmp", emptyDir: {} }, ...mounts.volumes],
    },
  };
}

function ending({ status }: V1Pod): Errand | undefined {
  const ended = status?.containerStatuses?.[0]?.state?.terminated;
  if (ended?.exitCode === 0) return { message: ended.message ?? "" };
  if (ended) return { problem: (ended.message || ended.reason || `exit code ${ended.exitCode}`).trim().slice(-500) };
  if (status?.phase === "Failed") return { problem: status.message ?? status.reason ?? "its pod failed" };
  return undefined;
}

function whyNot({ status, spec }: V1Pod): string {
  const waiting = status?.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason) return `${waiting.reason}: ${waiting.message ?? spec?.containers[0]?.image}`;
  return `its pod did not run (${status?.phase ?? "unknown"}): the node's kubelet does not start it`;
}
