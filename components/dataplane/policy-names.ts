import { apiVersionOf, kinds } from "../../model/objects/kinds.ts";
import type { DeclaredPolicies } from "./declared-policies-args.ts";

/** A policy by its name. */
export interface PolicyName {
  /** Group and version. */
  apiVersion: string;
  /** Kind. */
  kind: string;
  /** Namespace; absent: the policy is of the whole cluster. */
  namespace?: string;
  /** Name. */
  name: string;
}

const POLICIES = [
  "networkPolicies",
  "calicoNetworkPolicies",
  "globalNetworkPolicies",
  "clusterNetworkPolicies",
  "stagedNetworkPolicies",
  "stagedGlobalNetworkPolicies",
  "stagedKubernetesNetworkPolicies",
] as const;

/** The names of all declared policies, as Kubernetes has them. */
export function policyNames(declared: DeclaredPolicies): PolicyName[] {
  return POLICIES.flatMap((key) => {
    const kind = kinds[key];
    const list: { name: string; namespace?: string }[] = declared[key] ?? [];
    return list.map(({ name, namespace = "default" }) => ({
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      ...(kind.namespaced && { namespace }),
      name,
    }));
  });
}
