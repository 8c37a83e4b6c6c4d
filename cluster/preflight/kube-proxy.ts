import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { type KubeProxyDaemonSet, kubeProxyDaemonSets, proxyPods } from "../kube-proxy/find.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

const CHECK = "kube-proxy";

/** Two service implementations would translate each other's packets. */
export function examineKubeProxy(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const findings = kubeProxyDaemonSets(facts.daemonSets, facts.agentNamespace).map((daemonSet) =>
    examineDaemonSet(daemonSet, plan),
  );
  const apart = proxyPods(facts.pods, facts.agentNamespace);
  if (apart.length > 0)
    findings.push(
      refused(
        CHECK,
        `${apart.length === 1 ? "a pod" : `${apart.length} pods`} of kube-proxy without a DaemonSet (${apart[0]})`,
        "create the cluster without kube-proxy: such pods come from files on the nodes, which this package cannot remove",
      ),
    );
  if (findings.length === 0) findings.push(...onNodesOnly(facts));
  return findings.length > 0 ? findings : [ok(CHECK, "none found")];
}

function examineDaemonSet(
  { namespace, name, removed }: KubeProxyDaemonSet,
  { existingKubeProxy }: PreflightPlan,
): Finding {
  const shown = `DaemonSet ${namespace}/${name}`;
  if (existingKubeProxy === "remove") {
    const off = removed ? "is removed from the nodes" : "is removed from the nodes once the dataplane handles services";
    return ok(CHECK, `${shown} ${off}, and restored when the stack is destroyed`);
  }
  if (removed) {
    const next = "keep ebpf-dataplane:existingKubeProxy: remove; or delete the DaemonSet";
    return refused(
      CHECK,
      `${shown} was removed from the nodes by this package, and would return beside the dataplane`,
      next,
    );
  }
  const next = "set ebpf-dataplane:existingKubeProxy: remove (existingKubeProxy of ExistingCluster); or delete it";
  return refused(CHECK, `${shown} handles services`, next);
}

/** A kube-proxy inside another program (k3s), and leftover rules. */
function onNodesOnly({ reports, daemonSets, agentNamespace }: ClusterFacts): Finding[] {
  // When our kube-proxy runs, rules and processes are its own.
  if (daemonSets.some(({ metadata }) => metadata?.namespace === agentNamespace && metadata.name === "kube-proxy"))
    return [];
  return [...reports].flatMap(([node, report]) => {
    if (typeof report === "string") return [];
    const { runs, rules } = report.kubeProxy;
    if (runs)
      return [refused(CHECK, "runs without a pod", "stop and disable the service that starts it on the node", [node])];
    if (rules)
      return [
        warning(
          CHECK,
          "rules left by a removed kube-proxy, or of one inside another program (k3s)",
          "nothing, if it was removed: agents remove the rules; k3s needs --disable-kube-proxy",
          [node],
        ),
      ];
    return [];
  });
}
