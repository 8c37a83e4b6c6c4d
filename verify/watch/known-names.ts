import type { V1Namespace } from "@kubernetes/client-node";
import type { FlowQuery } from "../../agent/observe/events/flow-query.ts";
import { listObjects, unlessMissing } from "../../kubernetes/get.ts";
import type { Api } from "../../kubernetes/transport.ts";
import { kinds, resourcePath } from "../../model/objects/kinds.ts";
import type { Reached } from "./agents.ts";
import { type Known, type Named, namesOf } from "./filter-names.ts";

/** Lists that are read only if a filter needs them. */
export async function readKnown(
  { api, view, lab }: Reached,
  { from, to, namespace, policy }: FlowQuery,
): Promise<Known> {
  const someNames = [from, to, namespace].some((list) => list && list.length > 0);
  const namespaces = someNames ? await listObjects<V1Namespace>(api, resourcePath(kinds.namespaces)) : [];
  return {
    ...{ pods: view.pods, services: view.services, nodes: view.nodes, machines: lab.machines },
    namespaces: namespaces.map(({ metadata }) => metadata?.name ?? ""),
    ...(policy && policy.length > 0 && { policies: await policyNames(api) }),
  };
}

const POLICIES = [
  kinds.networkPolicies,
  ...[kinds.calicoNetworkPolicies, kinds.globalNetworkPolicies, kinds.clusterNetworkPolicies],
  ...[kinds.stagedNetworkPolicies, kinds.stagedGlobalNetworkPolicies, kinds.stagedKubernetesNetworkPolicies],
];

async function policyNames(api: Api): Promise<string[]> {
  const lists = await Promise.all(POLICIES.map((kind) => unlessMissing(listObjects<Named>(api, resourcePath(kind)))));
  return lists.flatMap((list) => namesOf(list ?? []));
}
