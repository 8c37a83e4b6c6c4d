import type { z } from "zod";
import { bgpConfiguration } from "./bgp/configuration.ts";
import { bgpFilter } from "./bgp/filter.ts";
import { bgpPeer } from "./bgp/peer.ts";
import { felixConfiguration, ipamBlock, ipPool, ipReservation } from "./calico.ts";
import { hostEndpoint } from "./calico-policy/host-endpoint.ts";
import { kubeControllersConfiguration } from "./calico-policy/kube-controllers.ts";
import { networkSet } from "./calico-policy/network-set.ts";
import { calicoNetworkPolicy, globalNetworkPolicy } from "./calico-policy/policies.ts";
import {
  stagedGlobalNetworkPolicy,
  stagedKubernetesNetworkPolicy,
  stagedNetworkPolicy,
} from "./calico-policy/staged.ts";
import { tier } from "./calico-policy/tier.ts";
import { clusterNetworkPolicy } from "./cluster-network-policy.ts";
import { namespace, node, pod, service, serviceAccount } from "./core.ts";
import { endpointSlice } from "./discovery.ts";
import { egressGateway } from "./egress-gateway.ts";
import type { KindName } from "./kinds.ts";
import type { KubernetesObject } from "./metadata.ts";
import { networkPolicy } from "./networking.ts";

/** What each kind's objects must look like, and what of them is kept. */
export const schemas = {
  nodes: node,
  namespaces: namespace,
  pods: pod,
  services: service,
  endpointSlices: endpointSlice,
  networkPolicies: networkPolicy,
  ipPools: ipPool,
  ipReservations: ipReservation,
  ipamBlocks: ipamBlock,
  egressGateways: egressGateway,
  felixConfigurations: felixConfiguration,
  calicoNetworkPolicies: calicoNetworkPolicy,
  globalNetworkPolicies: globalNetworkPolicy,
  tiers: tier,
  hostEndpoints: hostEndpoint,
  networkSets: networkSet,
  globalNetworkSets: networkSet,
  stagedNetworkPolicies: stagedNetworkPolicy,
  stagedGlobalNetworkPolicies: stagedGlobalNetworkPolicy,
  stagedKubernetesNetworkPolicies: stagedKubernetesNetworkPolicy,
  kubeControllersConfigurations: kubeControllersConfiguration,
  bgpConfigurations: bgpConfiguration,
  bgpPeers: bgpPeer,
  bgpFilters: bgpFilter,
  clusterNetworkPolicies: clusterNetworkPolicy,
  serviceAccounts: serviceAccount,
} as const satisfies Record<KindName, z.ZodType<KubernetesObject>>;

/** An object of a kind, as it is read. */
export type ObjectOf<Name extends KindName> = z.output<(typeof schemas)[Name]>;
