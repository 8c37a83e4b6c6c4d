import { judgeAddresses } from "./addresses.ts";
import { judgeCloud } from "./cloud.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, gathered, ok, refused } from "./finding.ts";
import { judgeKubeProxy } from "./kube-proxy.ts";
import { judgeNetwork } from "./network.ts";
import { judgeNetworkPlugins } from "./network-plugins.ts";
import { judgeNodes } from "./nodes.ts";
import type { Plan } from "./plan.ts";

/** What stands in the way of a plan on a cluster. The same facts give the same findings. */
export function judge(facts: ClusterFacts, plan: Plan): Finding[] {
  return gathered([
    ok("cluster", `${facts.clusterId}, Kubernetes ${facts.version}, ${facts.nodes.length} nodes`),
    ...rights(facts),
    ...judgeKubeProxy(facts, plan),
    ...judgeNetworkPlugins(facts, plan),
    ...judgeNodes(facts),
    ...judgeAddresses(facts, plan),
    ...judgeNetwork(facts, plan),
    ...judgeCloud(facts, plan),
  ]);
}

function rights({ denied }: ClusterFacts): Finding[] {
  if (denied.length === 0) return [ok("rights", "this kubeconfig may make what the dataplane is made of")];
  return [refused("rights", `this kubeconfig may not ${denied.join(", ")}`, "give an administrator's kubeconfig")];
}
