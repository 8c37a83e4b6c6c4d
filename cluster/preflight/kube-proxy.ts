import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { AGENT, type KubeProxyDaemonSet, kubeProxyDaemonSets, proxyPods } from "../kube-proxy/find.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, ok, refused, warning } from "./finding.ts";

const CHECK = "kube-proxy";

/** Two who give services their backends would translate each other's packets. */
export function judgeKubeProxy(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const findings = kubeProxyDaemonSets(facts.daemonSets).map((daemonSet) => judgeDaemonSet(daemonSet, plan));
  const apart = proxyPods(facts.pods);
  if (apart.length > 0)
    findings.push(
      refused(
        CHECK,
        `${apart.length === 1 ? "a pod" : `${apart.length} pods`} of kube-proxy that no DaemonSet made (${apart[0]})`,
        "make the cluster without kube-proxy: such pods come from files on the nodes, which only who made the nodes can remove",
      ),
    );
  if (findings.length === 0) findings.push(...onNodesOnly(facts));
  return findings.length > 0 ? findings : [ok(CHECK, "there is none")];
}

function judgeDaemonSet(
  { namespace, name, removed }: KubeProxyDaemonSet,
  { existingKubeProxy }: PreflightPlan,
): Finding {
  const shown = `DaemonSet ${namespace}/${name}`;
  if (existingKubeProxy === "remove") {
    const off = removed ? "is off the nodes" : "is taken off the nodes once the dataplane handles services";
    return ok(CHECK, `${shown} ${off}, and comes back when the stack is destroyed`);
  }
  if (removed) {
    const next = "leave ebpf-dataplane:existingKubeProxy: remove; or delete the DaemonSet for good";
    return refused(CHECK, `${shown} is off the nodes by this package, and would come back beside the dataplane`, next);
  }
  const next =
    "let it be removed: ebpf-dataplane:existingKubeProxy: remove (existingKubeProxy of ExistingCluster); or delete it";
  return refused(CHECK, `${shown} handles services`, next);
}

/** A kube-proxy inside another program (k3s), and what one left behind. */
function onNodesOnly({ reports, daemonSets }: ClusterFacts): Finding[] {
  // With ours in place, rules and processes are its own.
  if (daemonSets.some(({ metadata }) => metadata?.namespace === AGENT && metadata.name === "kube-proxy")) return [];
  return [...reports].flatMap(([node, report]) => {
    if (typeof report === "string") return [];
    const { runs, rules } = report.kubeProxy;
    if (runs)
      return [refused(CHECK, "runs without a pod", "stop and disable the service on the node that starts it", [node])];
    if (rules)
      return [
        warning(
          CHECK,
          "rules of one that is gone, or of one inside another program (k3s)",
          "nothing, if it is gone: agents remove the rules; k3s needs --disable-kube-proxy",
          [node],
        ),
      ];
    return [];
  });
}
