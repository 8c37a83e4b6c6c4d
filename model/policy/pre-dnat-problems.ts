import type { KubeProxy } from "../mode/configuration.ts";
import type { Problem } from "../problem.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";

const MESSAGE =
  "is not asked about Services' ports while kube-proxy handles services, because kube-proxy translates them first; what does not go to a Service is " +
  "judged. Next: let the dataplane handle services (serviceHandling: Ebpf of Dataplane), or close the Services' ports with loadBalancerSourceRanges " +
  "or the pods' own policies.";

/** Policies that are in force at this node's interfaces and do not see all the traffic that they are about. @param inForce those that
 * apply to anything here */
export function preDnatProblems(inForce: readonly CompiledPolicy[], kubeProxy: KubeProxy): Problem[] {
  if (kubeProxy !== "active") return [];
  return inForce
    .filter(({ stage }) => stage === "preDNAT")
    .map(({ kind, name }) => ({ kind, name, path: "spec.preDNAT", message: MESSAGE }));
}
