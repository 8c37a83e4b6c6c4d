import type * as pulumi from "@pulumi/pulumi";
import { kinds } from "../../model/objects/kinds.ts";
import { requireAgreement } from "../bgp/agreement.ts";
import type { DeclaredBgp } from "../bgp/args.ts";
import { BgpConfiguration } from "../bgp/bgp-configuration.ts";
import { BgpFilter } from "../bgp/bgp-filter.ts";
import { BgpPeer } from "../bgp/bgp-peer.ts";
import { CalicoNetworkPolicy } from "../calico-policy/calico-network-policy.ts";
import { GlobalNetworkPolicy } from "../calico-policy/global-network-policy.ts";
import { GlobalNetworkSet } from "../calico-policy/global-network-set.ts";
import { HostEndpoint } from "../calico-policy/host-endpoint.ts";
import { type PolicyKind, requireObject } from "../calico-policy/inputs.ts";
import { KubeControllersConfiguration } from "../calico-policy/kube-controllers-configuration.ts";
import { NetworkSet } from "../calico-policy/network-set.ts";
import { StagedGlobalNetworkPolicy } from "../calico-policy/staged-global-network-policy.ts";
import { StagedKubernetesNetworkPolicy } from "../calico-policy/staged-kubernetes-network-policy.ts";
import { StagedNetworkPolicy } from "../calico-policy/staged-network-policy.ts";
import { Tier } from "../calico-policy/tier.ts";
import { ClusterNetworkPolicy } from "../cluster-network-policy/component.ts";
import type { DeclaredEgress } from "../egress-gateway/args.ts";
import { EgressGateway } from "../egress-gateway/component.ts";
import { IpReservation } from "../ip-reservation/component.ts";
import { at, type InputPlace } from "../refusal/refusal.ts";
import { requireUnique } from "../values/choices.ts";
import { resourceNames } from "../values/object-name.ts";
import type { DeclaredPolicies } from "./declared-policies-args.ts";

type Component = new (name: string, args: never, opts: pulumi.ComponentResourceOptions) => pulumi.ComponentResource;
type ListKind = Exclude<PolicyKind, "kubeControllersConfigurations" | "bgpConfigurations">;

/** Tiers, sets and filters are created before the objects that name them. */
const COMPONENTS: Readonly<Record<ListKind, Component>> = {
  tiers: Tier,
  networkSets: NetworkSet,
  globalNetworkSets: GlobalNetworkSet,
  ipReservations: IpReservation,
  hostEndpoints: HostEndpoint,
  calicoNetworkPolicies: CalicoNetworkPolicy,
  globalNetworkPolicies: GlobalNetworkPolicy,
  clusterNetworkPolicies: ClusterNetworkPolicy,
  stagedNetworkPolicies: StagedNetworkPolicy,
  stagedGlobalNetworkPolicies: StagedGlobalNetworkPolicy,
  stagedKubernetesNetworkPolicies: StagedKubernetesNetworkPolicy,
  bgpFilters: BgpFilter,
  bgpPeers: BgpPeer,
  egressGateways: EgressGateway,
};
const KINDS = Object.keys(COMPONENTS) as ListKind[];

/** Refuses objects that agents would refuse, and two objects with the same name. */
export function requireDeclaredPolicies(
  place: InputPlace,
  declared: DeclaredPolicies & DeclaredBgp & DeclaredEgress,
): void {
  for (const kind of KINDS) {
    const list: { name: string }[] = declared[kind] ?? [];
    const objects = list.map((item, index) => requireObject(at(at(place, kind), index), kind, item));
    requireUnique(
      (index) => at(at(at(place, kind), index), "name"),
      objects.map(({ metadata }) => [metadata.namespace ?? [], metadata.name].flat().join("/")),
    );
  }
  requireAgreement(at(place, "bgpPeers"), declared.bgpPeers ?? []);
  const { kubeControllersConfiguration: controllers, bgp } = declared;
  if (controllers)
    requireObject(at(place, "kubeControllersConfiguration"), "kubeControllersConfigurations", controllers);
  if (bgp) requireObject(at(place, "bgp"), "bgpConfigurations", bgp);
}

/** Creates each policy as a component. */
export function declarePolicies(
  name: string,
  declared: DeclaredPolicies & DeclaredBgp & DeclaredEgress,
  agentNamespace: pulumi.Input<string>,
  opts: pulumi.ComponentResourceOptions,
): pulumi.ComponentResource[] {
  // Agents read passwords in this namespace.
  const inNamespace = (kind: ListKind, item: object) => (kind === "bgpPeers" ? { ...item, agentNamespace } : item);
  const { kubeControllersConfiguration: controllers, bgp } = declared;
  return [
    ...KINDS.flatMap((kind) => {
      const items = (declared[kind] ?? []) as { name: string }[];
      const names = resourceNames(
        name,
        items.map((item) => ({ ...(kinds[kind].namespaced && { namespace: "default" }), ...item })),
      );
      return items.map((item, index) => {
        const { name: own, aliases } = names[index] as (typeof names)[number];
        return new COMPONENTS[kind](own, inNamespace(kind, item) as never, { ...opts, aliases });
      });
    }),
    ...(bgp ? [new BgpConfiguration(`${name}-bgp`, { ...bgp, agentNamespace }, opts)] : []),
    ...(controllers ? [new KubeControllersConfiguration(`${name}-kubecontrollers`, controllers, opts)] : []),
  ];
}
