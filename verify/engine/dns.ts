import type { V1Pod } from "@kubernetes/client-node";
import type { Dns } from "../../probe/batch.ts";
import type { ClusterView } from "../cluster/view.ts";

/** kubeadm's default; no API object contains the cluster domain. */
const clusterDomain = "cluster.local";

/**
 * The content of a pod's resolv.conf, from its dnsPolicy and dnsConfig as kubelet composes it; undefined where the pod uses the
 * node's own resolver.
 */
export function podDns(view: ClusterView, { metadata, spec }: V1Pod): Dns | undefined {
  const policy = spec?.dnsPolicy ?? "ClusterFirst";
  const usesCluster = policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !spec?.hostNetwork);
  const server = usesCluster ? clusterDnsAddress(view) : undefined;
  const own = spec?.dnsConfig;
  const servers = [...(server ? [server] : []), ...(own?.nameservers ?? [])];
  if (servers.length === 0) return undefined;
  const search = server ? [`${metadata?.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain] : [];
  const written = own?.options?.find(({ name }) => name === "ndots")?.value;
  const ndots = written === undefined ? (server ? 5 : 1) : Number(written);
  return { servers, search: [...search, ...(own?.searches ?? [])], ndots };
}

/** The DNS Service; every installer uses this label, whatever the server. */
function clusterDnsAddress({ services }: ClusterView): string | undefined {
  return services.find(
    ({ metadata }) => metadata?.namespace === "kube-system" && metadata.labels?.["k8s-app"] === "kube-dns",
  )?.spec?.clusterIP;
}
