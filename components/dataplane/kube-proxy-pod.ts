/** Labels of kube-proxy's pods: as kubeadm and EKS write them, and ours. k3s has no such pod; it runs kube-proxy itself. */
export const KUBE_PROXY_LABELS = { "k8s-app": "kube-proxy" };

/** The fields of a pod that `agent` and `verify` read. */
interface LabelledPod {
  readonly metadata?: {
    readonly namespace?: string | null | undefined;
    readonly labels?: Readonly<Record<string, string>> | null | undefined;
  };
  readonly spec?: { readonly nodeName?: string | null | undefined };
}

/**
 * Whether the pod is kube-proxy on this node, in whatever phase: kubeadm's or EKS's, or the one that `serviceHandling` deploys. Tenants can write the label,
 * but not in these namespaces.
 * @param agents the agents' namespace
 */
export function isKubeProxyOn(node: string | undefined, agents: string, { metadata, spec }: LabelledPod): boolean {
  return (
    spec?.nodeName === node &&
    ["kube-system", agents].includes(metadata?.namespace ?? "") &&
    metadata?.labels?.["k8s-app"] === KUBE_PROXY_LABELS["k8s-app"]
  );
}
