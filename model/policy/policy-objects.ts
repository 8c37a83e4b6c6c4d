import { Latest, Memo } from "../memo.ts";
import type { NetworkSet } from "../objects/calico-policy/network-set.ts";
import type { Tier as TierObject } from "../objects/calico-policy/tier.ts";
import type { ClusterNetworkPolicy } from "../objects/cluster-network-policy.ts";
import type { Namespace, Node } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import type { KubernetesObject } from "../objects/metadata.ts";
import type { NetworkPolicy } from "../objects/networking.ts";
import type { Problem } from "../problem.ts";
import { each, type Steps } from "../steps.ts";
import { type CalicoPolicy, compileCalicoPolicy, servicesOf } from "./calico-policy.ts";
import { compileClusterNetworkPolicy, isAboutNodes } from "./cluster-network-policy.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { compileNetworkPolicy } from "./network-policy.ts";
import { type LabelledBlocks, NetworkSets } from "./network-sets.ts";
import { type ServiceGroup, serviceGroups, serviceOf } from "./service-words.ts";
import { type TierHeads, tierHeads } from "./tiers.ts";

/** The objects that policies consist of. */
export interface PolicyObjects {
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly calicoNetworkPolicies?: readonly CalicoPolicy[];
  readonly globalNetworkPolicies?: readonly CalicoPolicy[];
  readonly tiers?: readonly TierObject[];
  readonly networkSets?: readonly NetworkSet[];
  readonly globalNetworkSets?: readonly NetworkSet[];
  readonly endpointSlices?: readonly EndpointSlice[];
  readonly clusterNetworkPolicies?: readonly ClusterNetworkPolicy[];
  readonly nodes?: readonly Node[];
  readonly namespaces?: readonly Namespace[];
  readonly serviceAccounts?: readonly KubernetesObject[];
}

function nameServices({ calicoNetworkPolicies = NONE, globalNetworkPolicies = NONE }: PolicyObjects): boolean {
  return [calicoNetworkPolicies, globalNetworkPolicies].some((list) =>
    list.some((policy) => servicesOf(policy).length > 0),
  );
}

const NONE: readonly never[] = [];

/** The inputs of policies, and of their selectors: the compiled policies are the same while these are. EndpointSlices and nodes count
 * only if policies name Services and nodes. */
export function policyInputs(objects: PolicyObjects): unknown[] {
  const { networkPolicies, calicoNetworkPolicies, globalNetworkPolicies, clusterNetworkPolicies } = objects;
  const { tiers, networkSets, globalNetworkSets, namespaces, serviceAccounts } = objects;
  const nodes = clusterNetworkPolicies?.some(isAboutNodes) ? objects.nodes : undefined;
  const slices = nameServices(objects) ? objects.endpointSlices : undefined;
  return [
    ...[networkPolicies, calicoNetworkPolicies, globalNetworkPolicies, clusterNetworkPolicies],
    ...[tiers, networkSets, globalNetworkSets, namespaces, serviceAccounts, nodes, slices],
  ];
}

/** All policies of a cluster, and what they refer to. */
export interface CompiledObjects {
  readonly policies: readonly CompiledPolicy[];
  readonly tiers: TierHeads;
  readonly sets: readonly LabelledBlocks[];
  readonly services: (name: string) => readonly ServiceGroup[];
  readonly problems: readonly Problem[];
}

/** Compiles policies one by one. What did not change is the very same object. */
export class PolicyObjectCompiler {
  readonly #kubernetes = new Memo<NetworkPolicy, CompiledPolicy>();
  readonly #cluster = new Memo<ClusterNetworkPolicy, CompiledPolicy>();
  readonly #calico = new Memo<CalicoPolicy, CompiledPolicy>();
  readonly #tiers = new Latest<TierHeads>();
  readonly #services = new Latest<(name: string) => readonly ServiceGroup[]>();
  readonly networkSets = new NetworkSets();

  *compiling(objects: PolicyObjects): Steps<CompiledObjects> {
    const { calicoNetworkPolicies = NONE, globalNetworkPolicies = NONE, tiers: tierObjects = NONE } = objects;
    const { networkSets = NONE, globalNetworkSets = NONE, namespaces = NONE, endpointSlices = NONE } = objects;
    const policies: CompiledPolicy[] = [];
    yield* each(
      objects.networkPolicies,
      (item) => policies.push(this.#kubernetes.get(item, NONE, () => compileNetworkPolicy(item))),
      1,
    );
    const named = new Set([...calicoNetworkPolicies, ...globalNetworkPolicies].flatMap(servicesOf));
    const services = yield* this.#services.getting(
      [...named].length > 0 ? [endpointSlices, [...named].join()] : NONE,
      () => groupsOf(endpointSlices, named),
    );
    for (const [kind, list] of [
      ["NetworkPolicy", calicoNetworkPolicies],
      ["GlobalNetworkPolicy", globalNetworkPolicies],
    ] as const) {
      yield* each(
        list,
        (item) => {
          const texts = servicesOf(item).map((name) =>
            services(name)
              .map(({ text }) => text)
              .join("; "),
          );
          policies.push(this.#calico.get(item, texts, () => compileCalicoPolicy(kind, item, services)));
        },
        1,
      );
    }
    const { clusterNetworkPolicies = NONE, nodes = NONE } = objects;
    const compileCluster = (item: ClusterNetworkPolicy) =>
      this.#cluster.get(item, NONE, () => compileClusterNetworkPolicy(item));
    policies.push(...clusterNetworkPolicies.map(compileCluster));
    const aboutNodes = clusterNetworkPolicies.some(isAboutNodes) ? nodes : NONE;
    const tiers = this.#tiers.get([tierObjects], () => tierHeads(tierObjects));
    const sets = this.networkSets.compile(networkSets, globalNetworkSets, aboutNodes, namespaces);
    return { policies, tiers, sets, services, problems: policies.flatMap((policy) => withoutTier(policy, tiers)) };
  }
}

/** The endpoints of the Services that are named. */
function* groupsOf(
  slices: readonly EndpointSlice[],
  named: ReadonlySet<string>,
): Steps<(name: string) => readonly ServiceGroup[]> {
  const byService = new Map<string, EndpointSlice[]>();
  yield* each(named.size > 0 ? slices : NONE, (slice) => {
    const name = serviceOf(slice);
    if (name === undefined || !named.has(name)) return;
    const known = byService.get(name);
    if (known) known.push(slice);
    else byService.set(name, [slice]);
  });
  const groups = new Map([...byService].map(([name, own]) => [name, serviceGroups(name, own)]));
  return (name) => groups.get(name) ?? NONE;
}

function withoutTier({ kind, namespace, name, tier }: CompiledPolicy, tiers: TierHeads): Problem[] {
  if (tiers.has(tier)) return [];
  const message = `there is no Tier ${tier}; until there is, the policy is asked after all tiers, and what it does not decide is refused. Next: create the Tier, or correct the name.`;
  return [{ kind, namespace, name, path: "spec.tier", message }];
}
