// What staged policies are judged with, from the objects of the cluster.
import { Latest } from "../../../model/memo.ts";
import { type PolicyObjects, policyInputs } from "../../../model/policy/policy-objects.ts";
import { asStaged } from "../../../model/policy/staged.ts";
import { isForLoadBalancers } from "../../../model/pool/uses.ts";
import type { SnapshotStore } from "../../watch/snapshot-store.ts";
import type { Staging } from "./staged.ts";

type Store = Pick<SnapshotStore, "list">;

const OF_POLICIES = [
  ...(["networkPolicies", "calicoNetworkPolicies", "globalNetworkPolicies", "clusterNetworkPolicies"] as const),
  ...(["tiers", "networkSets", "globalNetworkSets"] as const),
  ...(["stagedNetworkPolicies", "stagedGlobalNetworkPolicies", "stagedKubernetesNetworkPolicies"] as const),
];

/** CIDRs that pods' addresses come from. */
export function poolsOf(store: Store): string[] {
  return store
    .list("ipPools")
    .filter((pool) => !isForLoadBalancers(pool) && !pool.spec.disabled)
    .map(({ spec }) => spec.cidr);
}

/** The same object while the policies are the same, and the endpoints and nodes that they name; undefined: nothing is staged. */
export function stagingBy(store: Store): () => Staging | undefined {
  const written = new Latest<ReturnType<typeof policiesIn>>();
  const known = new Latest<Staging>();
  return () => {
    const policies = written.get(OF_POLICIES.map(store.list, store), () => policiesIn(store));
    if (!policies) return undefined;
    const places = { nodes: store.list("nodes"), endpointSlices: store.list("endpointSlices") };
    const [now, staged] = [
      { ...policies.now, ...places },
      { ...policies.staged, ...places },
    ];
    const inputs = [...policyInputs(now), ...policyInputs(staged), store.list("ipPools")];
    // Names and labels of namespaces, and addresses of nodes, are those of the flows.
    return known.get(inputs, () => ({
      now: { policies: now, pools: poolsOf(store), nodes: new Map(), namespaces: new Map() },
      staged,
    }));
  };
}

function policiesIn(store: Store): { now: PolicyObjects; staged: PolicyObjects } | undefined {
  const now: PolicyObjects = {
    networkPolicies: store.list("networkPolicies"),
    calicoNetworkPolicies: store.list("calicoNetworkPolicies"),
    globalNetworkPolicies: store.list("globalNetworkPolicies"),
    clusterNetworkPolicies: store.list("clusterNetworkPolicies"),
    ...{ tiers: store.list("tiers"), networkSets: store.list("networkSets") },
    globalNetworkSets: store.list("globalNetworkSets"),
  };
  const staged = asStaged(now, {
    stagedNetworkPolicies: store.list("stagedNetworkPolicies"),
    stagedGlobalNetworkPolicies: store.list("stagedGlobalNetworkPolicies"),
    stagedKubernetesNetworkPolicies: store.list("stagedKubernetesNetworkPolicies"),
  });
  return staged && { now, staged };
}
