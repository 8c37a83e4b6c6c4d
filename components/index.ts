export {
  diskIsEncrypted,
  type GuardedInstance,
  type IngressRule,
  metadataNeedsToken,
  nodePortsNotOpenToWorld,
  sshNotOpenToWorld,
} from "./aws/guardrails";
export { Architecture, type AwsMachine } from "./aws/machine";
export type { AwsSubnet } from "./aws/subnet";
export { type AwsClusterArgs, type SshAccess, WorldAccess } from "./aws-cluster/args";
export { AwsCluster } from "./aws-cluster/component";
export type { ClientMachinesArgs } from "./client-machines/args";
export { ClientMachines } from "./client-machines/component";
export {
  type DataplaneArgs,
  type DataplaneSpec,
  ExternalIPs,
  LogLevel,
  MetricsAddress,
  ReturnMode,
  ServiceHandling,
  SocketTranslation,
} from "./dataplane/args";
export { Dataplane } from "./dataplane/component";
export { type ExistingClusterArgs, ExistingKubeProxy, OtherNetworkPlugin } from "./existing-cluster/args";
export { ExistingCluster } from "./existing-cluster/component";
export type { PreflightFinding } from "./existing-cluster/result";
export { type IpPoolArgs, type IpPoolSpec, VxlanMode } from "./ip-pool/args";
export { IpPool } from "./ip-pool/component";
export type { KubeProxyRemovalArgs } from "./kube-proxy-removal/args";
export { KubeProxyRemoval } from "./kube-proxy-removal/component";
export type { LocalClusterArgs } from "./local-cluster/args";
export { LocalCluster } from "./local-cluster/component";
export { type ApiServerAddress, type Machine, type MachineAddress, MachineRole } from "./machine/machine";
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
} from "./network-policy/args";
export { NetworkPolicy } from "./network-policy/component";
export {
  ComparisonMode,
  HostKeyChecking,
  type LatencyMeasurement,
  LatencyQuantity,
  type LatencyThreshold,
  type SourceIpVerificationArgs,
  type SshConnection,
  type VerificationTarget,
} from "./source-ip-verification/args";
export { SourceIpVerification } from "./source-ip-verification/component";
export { type Expectation, ReplyPath, Verdict } from "./source-ip-verification/expectation";
export type { LatencyEstimate, LatencyFigure, VerificationRow } from "./source-ip-verification/result";
