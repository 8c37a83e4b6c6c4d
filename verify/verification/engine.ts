import type { V1DaemonSet } from "@kubernetes/client-node";
import { ServiceHandling } from "../../components/dataplane/args.ts";
import { AGENT } from "../../components/dataplane/names.ts";
import { networkPluginOf } from "../../model/objects/network-plugins.ts";
import type { ClusterView } from "../cluster/view.ts";

/** The components that handle pods and Services: `ebpf-dataplane:0.1.0, Services by Ebpf, replies DSR`; `Flannel, kube-proxy`. */
export function engineOf(
  daemonSets: V1DaemonSet[],
  { serviceHandling, returnMode }: Pick<ClusterView, "serviceHandling" | "returnMode">,
  agentNamespace: string,
): string | undefined {
  // By its name in its own namespace: any tenant can name a DaemonSet.
  const agents = daemonSets.find(({ metadata }) => metadata?.namespace === agentNamespace && metadata.name === AGENT);
  const image = agents?.spec?.template.spec?.containers.find(({ name }) => name === "agent")?.image;
  const own = agents && [
    image ?? AGENT,
    ...(serviceHandling ? [`Services by ${serviceHandling}`] : []),
    // kube-proxy knows no return mode.
    ...(returnMode && (serviceHandling ?? ServiceHandling.Ebpf) === ServiceHandling.Ebpf
      ? [`replies ${returnMode}`]
      : []),
  ];
  const others = daemonSets.flatMap((daemonSet) => networkPluginOf(daemonSet)?.name ?? []);
  const proxy = daemonSets.some(
    ({ metadata, status }) => metadata?.name === "kube-proxy" && status?.desiredNumberScheduled !== 0,
  );
  const all = [...(own ?? []), ...new Set(others), ...(proxy ? ["kube-proxy"] : [])];
  return all.length > 0 ? all.join(", ") : undefined;
}
