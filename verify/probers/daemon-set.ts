// The DaemonSet that runs during a verification: a pod per node that sleeps until a prober or a capture is run in it.
import type { KubernetesObject } from "../../components/documents/check.ts";

/** Labels of all objects that are created for probers. */
export const PROBER_LABELS = { "app.kubernetes.io/name": "ebpf-dataplane-probe" };

/** The pod's only container. */
export const PROBER_CONTAINER = "probe";

/** What a prober does with each capability (decision 20). */
const CAPABILITIES = {
  SYS_ADMIN: "enters the network namespaces of pods: setns(2) requires it",
  SYS_PTRACE: "opens the namespaces of other users' processes, to find pods",
  NET_RAW: "captures packets",
  SETGID: "tcpdump changes to the configured group, which is root",
};

/** A separate namespace that admits privileged pods. */
export function proberNamespace(name: string): KubernetesObject {
  const labels = { ...PROBER_LABELS, "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

/** One prober per node, also on nodes that are not ready: it needs no pod network, Service or token. */
export function proberDaemonSet(namespace: string, image: string): KubernetesObject {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "probe", namespace, labels: PROBER_LABELS },
    spec: {
      selector: { matchLabels: PROBER_LABELS },
      template: { metadata: { labels: PROBER_LABELS }, spec: podSpec(image) },
    },
  };
}

function podSpec(image: string) {
  return {
    hostNetwork: true,
    hostPID: true,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ operator: "Exists" }],
    // In the host's PID namespace it is not process 1, so that SIGTERM ends it immediately.
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: PROBER_CONTAINER,
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/sleep", "infinity"],
        // No limit: a prober without CPU cannot decide anything.
        resources: { requests: { cpu: "10m", memory: "64Mi" } },
        securityContext: {
          privileged: false,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsUser: 0,
          capabilities: { drop: ["ALL"], add: Object.keys(CAPABILITIES) },
          seccompProfile: { type: "RuntimeDefault" },
          // The runtimes' default profiles forbid access to other containers' processes.
          appArmorProfile: { type: "Unconfined" },
          seLinuxOptions: { type: "spc_t", level: "s0" },
        },
      },
    ],
  };
}
