import type { PreflightPlan } from "../../components/documents/preflight.ts";
import { examineAddresses } from "./addresses.ts";
import { examineCloud } from "./cloud.ts";
import { examineDefinitions } from "./definitions.ts";
import { examineEgress } from "./egress.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, gathered, ok, refused } from "./finding.ts";
import { examineKubeProxy } from "./kube-proxy.ts";
import { examineNamespace } from "./namespace.ts";
import { examineNetwork } from "./network.ts";
import { examineNetworkPlugins } from "./network-plugins.ts";
import { examineNodes } from "./nodes.ts";
import { examineSelection, selected } from "./selection.ts";

/** Finds what blocks a plan on a cluster. The same facts give the same findings. */
export function examine(facts: ClusterFacts, plan: PreflightPlan): Finding[] {
  const chosen = { ...facts, nodes: selected(facts.nodes, plan) };
  return gathered([
    release(facts),
    ...rights(facts),
    ...examineNamespace(facts, plan),
    ...examineKubeProxy(facts, plan),
    ...examineNetworkPlugins(facts, plan),
    ...examineDefinitions(facts, plan),
    ...examineSelection(facts.nodes, plan),
    ...examineNodes(chosen, plan),
    ...examineAddresses(chosen, plan, facts.nodes),
    ...examineNetwork(facts, plan),
    ...examineEgress(chosen.nodes, facts.nodes, plan),
    ...examineCloud(chosen, plan),
  ]);
}

// Since this release an agent's token names its node, which limits it to the IPAM blocks of that node.
const FIRST_MINOR = 32;

function release({ clusterId, version, nodes }: ClusterFacts): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number.parseFloat);
  const found = `${clusterId}, Kubernetes ${version}, ${nodes.length} nodes`;
  if (major > 1 || minor >= FIRST_MINOR) return ok("cluster", found);
  return refused("cluster", found, `upgrade it: the dataplane needs Kubernetes 1.${FIRST_MINOR} or later`);
}

function rights({ denied }: ClusterFacts): Finding[] {
  if (denied.length === 0) return [ok("rights", "this kubeconfig may create the dataplane's objects")];
  return [refused("rights", `this kubeconfig may not ${denied.join(", ")}`, "use an administrator's kubeconfig")];
}
