export {
  diskIsEncrypted,
  type GuardedInstance,
  type IngressRule,
  metadataNeedsToken,
  nodePortsNotOpenToWorld,
  sshNotOpenToWorld,
} from "./aws/guardrails";
export { AwsCluster } from "./aws-cluster";
export {
  Architecture,
  type AwsClusterArgs,
  type AwsMachine,
  type AwsSubnet,
  type SshAccess,
  WorldAccess,
} from "./aws-cluster-args";
export { ClientMachines, type ClientMachinesArgs } from "./client-machines";
export { Dataplane } from "./dataplane";
export {
  type DataplaneArgs,
  ExternalIPs,
  LogLevel,
  MetricsAddress,
  ReturnMode,
  ServiceHandling,
  SocketTranslation,
} from "./dataplane-args";
export { ExistingCluster, type PreflightFinding } from "./existing-cluster";
export { type ExistingClusterArgs, ExistingKubeProxy, OtherNetworkPlugin } from "./existing-cluster-args";
export { type Expectation, ReplyPath, Verdict } from "./expectation";
export { IpPool, type IpPoolArgs, VxlanMode } from "./ip-pool";
export { KubeProxyRemoval, type KubeProxyRemovalArgs } from "./kube-proxy-removal";
export { LocalCluster, type LocalClusterArgs } from "./local-cluster";
export { type ApiServerAddress, type Machine, type MachineAddress, MachineRole } from "./machine";
export { NetworkPolicy } from "./network-policy";
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
  PolicyType,
  Protocol,
} from "./network-policy-args";
export { SourceIpVerification } from "./source-ip-verification";
export {
  ComparisonMode,
  HostKeyChecking,
  type LatencyMeasurement,
  LatencyQuantity,
  type LatencyThreshold,
  type SourceIpVerificationArgs,
  type SshConnection,
  type VerificationTarget,
} from "./source-ip-verification-args";
export type { LatencyEstimate, LatencyFigure, VerificationRow } from "./verification-result";
