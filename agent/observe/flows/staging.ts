// What is needed to judge by staged policies, from the objects of the cluster.
import { familyOf, parseCidr } from "../../../model/address/address.ts";
import { writtenTo } from "../../../model/flow/written.ts";
import { Latest } from "../../../model/memo.ts";
import { type PolicyObjects, policyInputs } from "../../../model/policy/policy-objects.ts";
import { asStaged } from "../../../model/policy/staged.ts";
import { isForLoadBalancers } from "../../../model/pool/uses.ts";
import type { JudgedNode } from "../../compile/desired.ts";
import type { SnapshotStore } from "../../watch/snapshot-store.ts";
import { nodeHosts, ownAddresses } from "./judged-node.ts";
import type { Staging } from "./staged.ts";

type Store = Pick<SnapshotStore, "list">;

const OF_POLICIES = [
  ...(["networkPolicies", "calicoNetworkPolicies", "globalNetworkPolicies", "clusterNetworkPolicies"] as const),
  ...(["tiers", "networkSets", "globalNetworkSets"] as const),
  ...(["stagedNetworkPolicies", "stagedGlobalNetworkPolicies", "stagedKubernetesNetworkPolicies"] as const),
];

const NONE: readonly never[] = [];

/** CIDRs that pods' addresses come from. */
export function poolsOf(store: Store): string[] {
  return workloadPoolsOf(store).map(({ spec }) => spec.cidr);
}

function workloadPoolsOf(store: Store) {
  return store.list("ipPools").filter((pool) => !isForLoadBalancers(pool) && !pool.spec.disabled);
}

/** The same object while the policies are the same, and the endpoints and nodes that they name; undefined: nothing is staged. */
export function stagingBy(store: Store, node: () => JudgedNode | undefined): () => Staging | undefined {
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
    const here = node();
    const configurations = store.list("felixConfigurations");
    const ofSets = now.networkSets?.length ? store.list("namespaces") : NONE;
    const ofNode = [here?.directory, here?.facts, configurations];
    const inputs = [...policyInputs(now), ...policyInputs(staged), store.list("ipPools"), ofSets, ...ofNode];
    // Labels of other namespaces, and addresses of nodes, are those of the flows.
    const namespaces = new Map(ofSets.map(({ metadata: { name, labels } }) => [name, labels ?? {}]));
    return known.get(inputs, () => ({
      now: {
        ...{ policies: now, pools: poolsOf(store), nodes: new Map(), namespaces },
        ...(here && { hosts: nodeHosts(here, configurations, workloadPoolsOf(store)) }),
      },
      staged,
      written: ({ from, service }) => {
        if (!here || !service || from.kind === "pods") return undefined;
        const family = from.kind === "network" ? familyOf(parseCidr(from.cidr).address) : undefined;
        return writtenTo(service, family, store.list("services"), ownAddresses(here));
      },
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
