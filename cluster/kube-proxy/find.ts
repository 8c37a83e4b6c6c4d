import type { V1DaemonSet, V1Pod, V1PodSpec } from "@kubernetes/client-node";

/** A key in the DaemonSet's node selector that no node has: with it, none of its pods runs. */
export const REMOVED_KEY = "ebpf-dataplane.io/kube-proxy";
export const REMOVED_VALUE = "removed";

export interface KubeProxyDaemonSet {
  namespace: string;
  name: string;
  /** Whether this package has already removed it from the nodes. */
  removed: boolean;
}

/**
 * The DaemonSets of kube-proxy of any installer: recognized by their program, not by labels. Ours is not among them.
 * @param agents the agents' namespace
 */
export function kubeProxyDaemonSets(daemonSets: V1DaemonSet[], agents: string): KubeProxyDaemonSet[] {
  return daemonSets
    .filter(({ metadata, spec }) => metadata?.namespace !== agents && runsKubeProxy(spec?.template.spec))
    .map(({ metadata, spec }) => ({
      namespace: metadata?.namespace ?? "",
      name: metadata?.name ?? "",
      removed: spec?.template.spec?.nodeSelector?.[REMOVED_KEY] === REMOVED_VALUE,
    }));
}

/** Names of kube-proxy's pods without a DaemonSet (static pods, as some installers write them). */
export function proxyPods(pods: V1Pod[], agents: string): string[] {
  return pods
    .filter(({ metadata, spec, status }) => {
      const owner = metadata?.ownerReferences?.some(({ kind }) => kind === "DaemonSet");
      return !owner && metadata?.namespace !== agents && status?.phase === "Running" && runsKubeProxy(spec);
    })
    .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`);
}

/** A kube-proxy of any installer is in its node's network. A tenant's container that is only called so is not. */
function runsKubeProxy(spec: V1PodSpec | undefined): boolean {
  if (!spec?.hostNetwork) return false;
  return spec.containers.some(
    ({ name, image = "", command = [] }) =>
      name === "kube-proxy" || /(^|\/)kube-proxy(-\w+)?[:@]/.test(image) || /(^|\/)kube-proxy$/.test(command[0] ?? ""),
  );
}
