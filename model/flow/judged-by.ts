import { type Namespace, namespace as namespaceSchema } from "../objects/core.ts";
import type { HostDirectory } from "../policy/host-directory.ts";
import type { PolicyObjects } from "../policy/policy-objects.ts";
import type { NodeHosts } from "./host-stages.ts";
import type { SelectingService } from "./peer-words.ts";
import type { UntoldHosts } from "./untold-hosts.ts";

/** The policies that flows are judged by, and what is known of the cluster. */
export interface JudgedBy {
  /** Namespaces and service accounts among them are not read: the log has their labels. */
  readonly policies: Omit<PolicyObjects, "namespaces" | "serviceAccounts">;
  /** Those whose endpoints have no addresses yet, and no others have known endpoints; absent: EndpointSlices are those of a cluster. */
  readonly services?: readonly SelectingService[];
  /** CIDRs that pods' addresses come from: the log does not say which of them a pod had. */
  readonly pools: readonly string[];
  /** Addresses of nodes, by name; those of others are taken from the log. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** Labels of namespaces; those of others are taken from the log. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What a block of addresses stands for: each of them (the default), or those that no rule and no host endpoint tells from others. */
  readonly blocks?: "whole" | "rest";
  /** The node whose log it is; absent: host endpoints are not asked. */
  readonly hosts?: NodeHosts;
  /** Absent: those that the node knows. */
  readonly hostPeers?: HostPeers;
}

/** As whom policies meet addresses of host endpoints. */
export interface HostPeers {
  readonly labels: HostDirectory["labels"];
  /** Those of nodes whose labels are not known. */
  readonly untold?: UntoldHosts;
}

/** Without policies of namespaces that have no pods here: they select nothing. */
export function inNamespaces(objects: JudgedBy["policies"], names: ReadonlySet<string>): JudgedBy["policies"] {
  const isHere = ({ metadata }: { readonly metadata: { readonly namespace?: string | null | undefined } }) =>
    names.has(metadata.namespace ?? "default");
  const { networkPolicies, calicoNetworkPolicies = [], ...rest } = objects;
  return {
    ...rest,
    networkPolicies: networkPolicies.filter(isHere),
    calicoNetworkPolicies: calicoNetworkPolicies.filter(isHere),
  };
}

/** Of network sets, which selectors of namespaces mean too. @param others that are known already */
export function namespacesOfSets({ policies, namespaces }: JudgedBy, others: ReadonlySet<string>): Namespace[] {
  const names = new Set((policies.networkSets ?? []).map(({ metadata }) => metadata.namespace ?? "default"));
  return [...names].flatMap((name) => {
    const labels = namespaces.get(name);
    return labels && !others.has(name) ? [namespaceSchema.parse({ metadata: { name, labels } })] : [];
  });
}
