import { AGENT } from "./names.ts";

/** Labels of kube-proxy's pods: as kubeadm and EKS write them, and ours. k3s has no such pod; it runs kube-proxy itself. */
export const KUBE_PROXY_LABELS = { "k8s-app": "kube-proxy" };

/** kubeadm's and EKS's kube-proxy, and the one that `serviceHandling` deploys. Tenants can write the label, but not in these namespaces. */
const NAMESPACES: readonly string[] = ["kube-system", AGENT];

/** A pod as `agent` and `verify` read it. */
interface LabelledPod {
  readonly metadata?: {
    readonly namespace?: string | null | undefined;
    readonly labels?: Readonly<Record<string, string>> | null | undefined;
  };
  readonly spec?: { readonly nodeName?: string | null | undefined };
}

/** Whether the pod is kube-proxy on this node, in whatever phase. */
export function isKubeProxyOn(node: string | undefined, { metadata, spec }: LabelledPod): boolean {
  return (
    spec?.nodeName === node &&
    NAMESPACES.includes(metadata?.namespace ?? "") &&
    metadata?.labels?.["k8s-app"] === KUBE_PROXY_LABELS["k8s-app"]
  );
}
