export {
  diskIsEncrypted,
  type GuardedInstance,
  type IngressRule,
  metadataNeedsToken,
  nodePortsNotOpenToWorld,
  sshNotOpenToWorld,
} from "./aws/guardrails.ts";
export { Architecture, type AwsMachine } from "./aws/machine.ts";
export type { AwsSubnet } from "./aws/subnet.ts";
export { type AwsClusterArgs, PodRouting, type SshAccess, WorldAccess } from "./aws-cluster/args.ts";
export { AwsCluster } from "./aws-cluster/component.ts";
export { cloudRoutePools } from "./aws-cluster/pod-routes.ts";
export {
  BgpAggregation,
  type BgpCommunity,
  type BgpConfigurationArgs,
  type BgpConfigurationSpec,
  BgpFailureDetection,
  BgpFilterAction,
  type BgpFilterArgs,
  type BgpFilterRule,
  type BgpFilterSpec,
  BgpMatchOperator,
  type BgpNetwork,
  BgpNextHopMode,
  type BgpPassword,
  type BgpPeerArgs,
  type BgpPeerSpec,
  BgpPeerType,
  type BgpPrefixAdvertisement,
  type BgpPrefixLength,
  BgpReversePeering,
  type BgpSecretKey,
  BgpSourceAddress,
} from "./bgp/args.ts";
export { BgpConfiguration } from "./bgp/bgp-configuration.ts";
export { BgpFilter } from "./bgp/bgp-filter.ts";
export { BgpPeer } from "./bgp/bgp-peer.ts";
export {
  type CalicoNetworkPolicyArgs,
  type CalicoNetworkPolicySpec,
  type EndpointPort,
  type EntityRule,
  type GlobalNetworkPolicyArgs,
  type GlobalNetworkPolicySpec,
  type GlobalNetworkSetArgs,
  type GlobalNetworkSetSpec,
  type HostEndpointArgs,
  type HostEndpointSpec,
  type IcmpMatch,
  type NetworkSetArgs,
  type NetworkSetSpec,
  PolicyAction,
  type PolicyRule,
  type RuleMetadata,
  type ServiceAccountMatch,
  type ServiceMatch,
  type TierArgs,
  TierDefaultAction,
  type TieredPolicySpec,
  type TierSpec,
} from "./calico-policy/args.ts";
export { CalicoNetworkPolicy } from "./calico-policy/calico-network-policy.ts";
export { GlobalNetworkPolicy } from "./calico-policy/global-network-policy.ts";
export { GlobalNetworkSet } from "./calico-policy/global-network-set.ts";
export { HostEndpoint } from "./calico-policy/host-endpoint.ts";
export {
  type AutoHostEndpoints,
  Enablement,
  type HostEndpointTemplate,
  type KubeControllers,
  type KubeControllersConfigurationArgs,
  type KubeControllersConfigurationSpec,
  type NodeController,
} from "./calico-policy/kube-controllers-args.ts";
export { KubeControllersConfiguration } from "./calico-policy/kube-controllers-configuration.ts";
export { NetworkSet } from "./calico-policy/network-set.ts";
export {
  StagedAction,
  type StagedGlobalNetworkPolicyArgs,
  type StagedGlobalNetworkPolicySpec,
  type StagedKubernetesNetworkPolicyArgs,
  type StagedKubernetesNetworkPolicySpec,
  type StagedNetworkPolicyArgs,
  type StagedNetworkPolicySpec,
} from "./calico-policy/staged-args.ts";
export { StagedGlobalNetworkPolicy } from "./calico-policy/staged-global-network-policy.ts";
export { StagedKubernetesNetworkPolicy } from "./calico-policy/staged-kubernetes-network-policy.ts";
export { StagedNetworkPolicy } from "./calico-policy/staged-network-policy.ts";
export { Tier } from "./calico-policy/tier.ts";
export type { ClientMachinesArgs } from "./client-machines/args.ts";
export { ClientMachines } from "./client-machines/component.ts";
export {
  type ClusterNetworkPolicyArgs,
  type ClusterNetworkPolicySpec,
  ClusterPolicyAction,
  type ClusterPolicyEgressPeer,
  type ClusterPolicyEgressRule,
  type ClusterPolicyIngressPeer,
  type ClusterPolicyIngressRule,
  type ClusterPolicyPods,
  type ClusterPolicyPort,
  type ClusterPolicyPortRange,
  type ClusterPolicyProtocol,
  type ClusterPolicySubject,
  ClusterPolicyTier,
  type ClusterPolicyTransport,
} from "./cluster-network-policy/args.ts";
export { ClusterNetworkPolicy } from "./cluster-network-policy/component.ts";
export {
  type Affinity,
  type AgentPods,
  type LocalObjectReference,
  type NodeAffinity,
  NodeSelectorOperator,
  type NodeSelectorRequirement,
  type NodeSelectorTerm,
  type NodeSelectorTerms,
  type ResourceRequirements,
  type RollingUpdate,
  TaintEffect,
  type Toleration,
  TolerationOperator,
  type UpdateStrategy,
} from "./dataplane/agent-pods-args.ts";
export {
  type DataplaneArgs,
  type DataplaneSpec,
  EndpointToHostAction,
  ExternalIPs,
  type FailsafePort,
  Ipam,
  LogLevel,
  type MapSizes,
  MetricsAddress,
  ReturnMode,
  ServiceHandling,
  type ServiceMetrics,
  SocketTranslation,
} from "./dataplane/args.ts";
export { Dataplane } from "./dataplane/component.ts";
export { Encryption } from "./dataplane/encryption-args.ts";
export { type FlowLog, FlowLogsLocalReporter } from "./dataplane/flow-log-args.ts";
export type {
  AlertRules,
  DashboardConfigMap,
  MetricsAccess,
  MetricsMonitor,
  MetricsService,
  MetricsTls,
  Monitoring,
  SecretKey,
} from "./dataplane/monitoring/args.ts";
export type { PolicyName } from "./dataplane/policy-names.ts";
export { Xdp } from "./dataplane/uplinks.ts";
export type { PreflightFinding } from "./documents/preflight.ts";
export type { EgressGatewayArgs, EgressGatewaySpec } from "./egress-gateway/args.ts";
export { EgressGateway } from "./egress-gateway/component.ts";
export { type ExistingClusterArgs, ExistingKubeProxy, OtherNetworkPlugin } from "./existing-cluster/args.ts";
export { ExistingCluster } from "./existing-cluster/component.ts";
export { IpipMode, type IpPoolArgs, type IpPoolSpec, IpPoolUse, VxlanMode } from "./ip-pool/args.ts";
export { IpPool } from "./ip-pool/component.ts";
export type { IpReservationArgs, IpReservationSpec } from "./ip-reservation/args.ts";
export { IpReservation } from "./ip-reservation/component.ts";
export type { KubeProxyRemovalArgs } from "./kube-proxy-removal/args.ts";
export { KubeProxyRemoval } from "./kube-proxy-removal/component.ts";
export type { LocalClusterArgs } from "./local-cluster/args.ts";
export { LocalCluster } from "./local-cluster/component.ts";
export { AddressFamily } from "./machine/address-family.ts";
export {
  type ApiServerAddress,
  type LocalLink,
  type LocalSubnet,
  type Machine,
  type MachineAddress,
  MachineRole,
} from "./machine/machine.ts";
export {
  type IpBlock,
  type LabelSelector,
  LabelSelectorOperator,
  type LabelSelectorRequirement,
  type NetworkPolicyArgs,
  type NetworkPolicyEgressRule,
  type NetworkPolicyIngressRule,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicySpec,
  PolicyType,
  Protocol,
} from "./network-policy/args.ts";
export { NetworkPolicy } from "./network-policy/component.ts";
export {
  ComparisonMode,
  HostKeyChecking,
  type LatencyMeasurement,
  LatencyQuantity,
  type LatencyThreshold,
  type ProbeServer,
  type SourceIpVerificationArgs,
  type SshConnection,
  type VerificationTarget,
} from "./source-ip-verification/args.ts";
export { SourceIpVerification } from "./source-ip-verification/component.ts";
export {
  type DistinctServers,
  type Expectation,
  type HttpAnswer,
  type IcmpQuery,
  ReplyPath,
  Verdict,
} from "./source-ip-verification/expectation.ts";
export type { LatencyEstimate, LatencyFigure, VerificationRow } from "./source-ip-verification/result.ts";
