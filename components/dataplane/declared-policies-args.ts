import type {
  CalicoNetworkPolicySpec,
  GlobalNetworkPolicySpec,
  GlobalNetworkSetSpec,
  HostEndpointSpec,
  NetworkSetSpec,
  TierSpec,
} from "../calico-policy/args.ts";
import type { KubeControllersConfigurationSpec } from "../calico-policy/kube-controllers-args.ts";
import type {
  StagedGlobalNetworkPolicySpec,
  StagedKubernetesNetworkPolicySpec,
  StagedNetworkPolicySpec,
} from "../calico-policy/staged-args.ts";
import type { ClusterNetworkPolicySpec } from "../cluster-network-policy/args.ts";
import type { IpReservationSpec } from "../ip-reservation/args.ts";
import type { NetworkPolicySpec } from "../network-policy/args.ts";

/** Policies, and what they refer to, that are declared with a dataplane. */
export interface DeclaredPolicies {
  /** Policies to have in force before the first pod gets its network. Defaults to none. */
  networkPolicies?: NetworkPolicySpec[];
  /** Calico's policies for pods of one namespace, in force before the first pod gets its network. Defaults to none. */
  calicoNetworkPolicies?: CalicoNetworkPolicySpec[];
  /** Calico's policies for pods of every namespace and for hosts. Defaults to none. */
  globalNetworkPolicies?: GlobalNetworkPolicySpec[];
  /** Tiers, which say in which order policies are asked. Defaults to none beside those that always exist ("default", "kube-admin", "kube-baseline"). */
  tiers?: TierSpec[];
  /** Interfaces of nodes that policies protect. Defaults to none. */
  hostEndpoints?: HostEndpointSpec[];
  /** Networks with labels, for rules of one namespace. Defaults to none. */
  networkSets?: NetworkSetSpec[];
  /** Networks with labels, for rules everywhere. Defaults to none. */
  globalNetworkSets?: GlobalNetworkSetSpec[];
  /** Addresses of the pools that no pod gets by itself. Defaults to none. */
  ipReservations?: IpReservationSpec[];
  /** Kubernetes' policies that hold in every namespace, before or after those of namespaces. Defaults to none. */
  clusterNetworkPolicies?: ClusterNetworkPolicySpec[];
  /** Calico's policies for pods of one namespace that change no verdict: the flow log shows what they would change. Defaults to none. */
  stagedNetworkPolicies?: StagedNetworkPolicySpec[];
  /** The same for pods of every namespace. Defaults to none. */
  stagedGlobalNetworkPolicies?: StagedGlobalNetworkPolicySpec[];
  /** The same for NetworkPolicies of Kubernetes. Defaults to none. */
  stagedKubernetesNetworkPolicies?: StagedKubernetesNetworkPolicySpec[];
  /** Host endpoints that every node has without being written: Calico's KubeControllersConfiguration "default". Defaults to none. */
  kubeControllersConfiguration?: KubeControllersConfigurationSpec;
}
