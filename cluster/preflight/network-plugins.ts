import type { V1DaemonSet } from "@kubernetes/client-node";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { networkPluginOf, networkPlugins } from "../../model/objects/network-plugins.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

const CHECK = "network plugin";
const NEXT =
  "use a cluster without a network plugin, or remove it and restart the nodes; to run both: ebpf-dataplane:otherNetworkPlugin: accept";

/** Two plugins that assign addresses and routes to pods. */
export function examineNetworkPlugins(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const inTheWay = plan.otherNetworkPlugin === "accept" ? warning : refused;
  const findings = [
    ...facts.daemonSets.flatMap((daemonSet) => {
      const plugin = networkPluginOf(daemonSet);
      return plugin ? [inTheWay(CHECK, `${plugin.name}: DaemonSet ${nameOf(daemonSet)}`, NEXT)] : [];
    }),
    ...(facts.calicoApiServer
      ? [
          inTheWay(
            CHECK,
            "Calico's API server serves projectcalico.org/v3, the kinds that this dataplane reads",
            "kubectl delete apiserver default, as Calico's operator calls it",
          ),
        ]
      : []),
    ...[...facts.reports].flatMap(([node, report]) => {
      if (typeof report === "string") return [];
      return report.plugins.map(({ file, types }) => {
        const plugin = networkPlugins.find((known) => known.types.some((type) => types.includes(type)));
        const found = `/etc/cni/net.d/${file} (${plugin?.name ?? (types.join(", ") || "cannot be read")})`;
        if (plugin) return inTheWay(CHECK, found, NEXT, [node]);
        // Installers and container runtimes ship examples: the dataplane's own file name sorts before theirs.
        return warning(CHECK, found, "nothing, unless its name sorts before 05-ebpf-dataplane.conflist", [node]);
      });
    }),
  ];
  return findings.length > 0 ? findings : [ok(CHECK, "no other found")];
}

const nameOf = ({ metadata }: V1DaemonSet): string => `${metadata?.namespace}/${metadata?.name}`;
