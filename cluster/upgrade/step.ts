import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { V1Pod } from "@kubernetes/client-node";
import { createObject } from "../../kubernetes/create.ts";
import { deleteObject } from "../../kubernetes/delete.ts";
import { findObject, getText } from "../../kubernetes/get.ts";
import { type Clock, until } from "../../kubernetes/patience.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { ClusterFailure } from "../failure.ts";
import { bootstrapFolder } from "../installation.ts";
import { whileAway } from "../while-away.ts";
import type { NodeState } from "./nodes.ts";

/** The steps on a node, before and after it is drained (components/bootstrap/upgrade.sh). */
export type Step = "components" | "kubelet";

/** Every node has this image: the kubelet uses it for pod sandboxes. All programs are the node's own. */
const IMAGE = "registry.k8s.io/pause:3.10.1";
/** Labels on the pods of an upgrade: the step and the release. */
export const STEP_LABEL = "ebpf-dataplane.io/upgrade-step";
/** kubeadm itself waits up to five minutes for each part of the control plane. */
const STEP_SECONDS = 30 * 60;

/** Runs a step on a node in a pod. If an interrupted upgrade left a pod for the same step, waits for that one. */
export async function runStep(
  api: Api,
  node: NodeState,
  step: Step,
  version: string,
  { say, clock }: { say: (line: string) => void; clock: Clock },
): Promise<void> {
  const name = `kubernetes-upgrade-${node.name}`;
  const path = `/api/v1/namespaces/kube-system/pods/${name}`;
  const wanted = stepPod(name, node, step, version);
  const label = wanted.metadata?.labels?.[STEP_LABEL];
  let isOurs = false;
  const look = () =>
    whileAway(async () => {
      const pod = await findObject<V1Pod>(api, path);
      if (!pod) {
        await createObject(api, "/api/v1/namespaces/kube-system/pods", wanted);
        isOurs = true;
        return `${node.name}: the step "${step}" of ${version} begins`;
      }
      const { phase } = pod.status ?? {};
      if (pod.metadata?.deletionTimestamp) return `${node.name}: an earlier step to be gone`;
      const isAnother = pod.metadata?.labels?.[STEP_LABEL] !== label;
      if (phase === "Succeeded" || (phase === "Failed" && !isOurs) || isAnother) {
        // Read the log first: it is lost with the pod.
        await deleteObject(api, path, { gracePeriodSeconds: 0 });
        return phase === "Succeeded" && !isAnother ? undefined : `${node.name}: an earlier step to be gone`;
      }
      if (phase === "Failed") throw await failed(api, path, node, step, version);
      isOurs = true;
      const waiting = pod.status?.containerStatuses?.[0]?.state?.waiting;
      return `${node.name}: ${waiting ? `a pod (${waiting.reason})` : `the step "${step}" of ${version}`}`;
    });
  const missing = await until(look, STEP_SECONDS, say, { clock });
  if (missing === undefined) return;
  throw new ClusterFailure(
    `the upgrade made no progress within ${STEP_SECONDS / 60} min: ${missing}`,
    `inspect it with: kubectl --namespace kube-system describe pod ${name}; the next run continues`,
  );
}

async function failed(api: Api, path: string, { name }: NodeState, step: Step, version: string) {
  const log = await getText(api, `${path}/log`, { tailLines: "8" }).catch(() => "(its log cannot be read)");
  return new ClusterFailure(
    `node ${name} cannot be upgraded to Kubernetes ${version} (${step}):\n${log.trimEnd()}`,
    "fix the problem in the log, then run the same command again: it continues here",
  );
}

const script = () =>
  ["packages.sh", "upgrade.sh"].map((name) => readFileSync(join(bootstrapFolder, name), "utf8")).join("\n");

/** A pod that enters the namespaces of the machine's init process, and runs the script with the machine's own programs. */
export function stepPod(name: string, node: NodeState, step: Step, version: string): V1Pod {
  // Needed by dynamically linked programs of the node; amd64 has a separate folder for the loader.
  const folders = ["usr", "lib", ...(node.architecture === "amd64" ? ["lib64"] : [])];
  const enter = ["/usr/bin/nsenter", "--target=1", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--"];
  const path = "PATH=/opt/kubernetes/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "kube-system",
      labels: { "app.kubernetes.io/name": "kubernetes-upgrade", [STEP_LABEL]: `${step}-${version}` },
    },
    spec: {
      nodeName: node.name,
      hostNetwork: true,
      hostPID: true,
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      priorityClassName: "system-node-critical",
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "upgrade",
          image: IMAGE,
          imagePullPolicy: "IfNotPresent",
          securityContext: { privileged: true },
          command: [
            ...enter,
            "/usr/bin/env",
            path,
            "HOME=/root",
            "/bin/bash",
            "-c",
            script(),
            "upgrade",
            step,
            version,
          ],
          volumeMounts: folders.map((folder) => ({ name: folder, mountPath: `/${folder}`, readOnly: true })),
        },
      ],
      volumes: folders.map((folder) => ({ name: folder, hostPath: { path: `/${folder}` } })),
    },
  };
}
