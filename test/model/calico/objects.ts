// The objects that the evaluator reads, as plain JSON in the form of their manifests; only the fields that mean something to it.

import type { Policy } from "../network-policy.ts";

export type Labels = Record<string, string>;
interface Meta {
  name: string;
  labels?: Labels;
}
interface Namespaced extends Meta {
  namespace: string;
}

/** `projectcalico.org/v3` EntityRule */
export interface EntityRule {
  nets?: string[];
  notNets?: string[];
  selector?: string;
  notSelector?: string;
  namespaceSelector?: string;
  serviceAccounts?: { names?: string[]; selector?: string };
  services?: { name: string; namespace?: string };
  ports?: (number | string)[];
  notPorts?: (number | string)[];
}
export interface Icmp {
  type?: number;
  code?: number;
}
export interface Rule {
  action: "Allow" | "Deny" | "Log" | "Pass";
  ipVersion?: 4 | 6;
  protocol?: string | number;
  notProtocol?: string | number;
  icmp?: Icmp;
  notICMP?: Icmp;
  source?: EntityRule;
  destination?: EntityRule;
}
interface PolicySpec {
  tier?: string;
  order?: number;
  selector?: string;
  serviceAccountSelector?: string;
  types?: ("Ingress" | "Egress")[];
  ingress?: Rule[];
  egress?: Rule[];
}
export interface CalicoPolicy {
  metadata: Namespaced;
  spec: PolicySpec;
}
export interface GlobalPolicy {
  metadata: Meta;
  spec: PolicySpec & {
    namespaceSelector?: string;
    doNotTrack?: boolean;
    preDNAT?: boolean;
    applyOnForward?: boolean;
  };
}
export interface Tier {
  metadata: Meta;
  spec: { order?: number; defaultAction?: "Deny" | "Pass" };
}
export interface NetworkSet {
  metadata: Namespaced;
  spec: { nets?: string[] };
}
export interface GlobalNetworkSet {
  metadata: Meta;
  spec: { nets?: string[] };
}
export interface NamedPort {
  name: string;
  port: number;
  protocol: string;
}
export interface HostEndpoint {
  metadata: Meta;
  spec: { node: string; interfaceName?: string; expectedIPs?: string[]; ports?: NamedPort[]; profiles?: string[] };
}
export interface Node {
  metadata: Meta;
  status: { addresses: { type: "InternalIP"; address: string }[] };
}
interface HostEndpointTemplate {
  generateName: string;
  interfaceCIDRs: string[];
  labels?: Labels;
  nodeSelector?: string;
}
export interface KubeControllersConfiguration {
  metadata: Meta;
  spec: {
    controllers: {
      node: {
        hostEndpoint: {
          autoCreate?: "Enabled" | "Disabled";
          createDefaultHostEndpoint?: "Enabled" | "Disabled";
          templates?: HostEndpointTemplate[];
        };
      };
    };
  };
}
export interface FelixConfiguration {
  metadata: Meta;
  spec: { defaultEndpointToHostAction?: "Accept" | "Drop" | "Return" };
}
export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
interface ClusterPeer {
  namespaces?: LabelSelector;
  pods?: { namespaceSelector: LabelSelector; podSelector: LabelSelector };
  networks?: string[];
}
interface ClusterPort {
  destinationPort?: { number?: number; range?: { start: number; end: number } };
}
export interface ClusterProtocol {
  tcp?: ClusterPort;
  udp?: ClusterPort;
  sctp?: ClusterPort;
  destinationNamedPort?: string;
}
export interface ClusterRule {
  action: "Accept" | "Deny" | "Pass";
  from?: ClusterPeer[];
  to?: ClusterPeer[];
  protocols?: ClusterProtocol[];
}
/** `policy.networking.k8s.io` */
export interface ClusterPolicy {
  metadata: Meta;
  spec: {
    tier: "Admin" | "Baseline";
    priority: number;
    subject: { namespaces?: LabelSelector; pods?: { namespaceSelector: LabelSelector; podSelector: LabelSelector } };
    ingress?: ClusterRule[];
    egress?: ClusterRule[];
  };
}
export interface Pod {
  metadata: Namespaced;
  spec: {
    nodeName: string;
    serviceAccountName?: string;
    containers: { ports?: { name: string; containerPort: number; protocol: string }[] }[];
  };
  status: { podIPs: { ip: string }[] };
}
export interface EndpointSlice {
  addressType?: "IPv4" | "IPv6";
  metadata: Namespaced;
  ports: { port: number; protocol: string }[];
  endpoints: { addresses: string[] }[];
}

/** `ebpf-dataplane.io` */
export interface EgressGateway {
  metadata: Meta;
  spec: { podSelector: string; nodeSelector: string; destinations?: string[]; exceptions?: string[] };
}

/** Everything that decides about packets. */
export interface World {
  nodes: Node[];
  kubeControllersConfigurations: KubeControllersConfiguration[];
  felixConfigurations: FelixConfiguration[];
  namespaces: { metadata: Meta }[];
  serviceAccounts: { metadata: Namespaced }[];
  pods: Pod[];
  endpointSlices: EndpointSlice[];
  networkSets: NetworkSet[];
  globalNetworkSets: GlobalNetworkSet[];
  hostEndpoints: HostEndpoint[];
  tiers: Tier[];
  networkPolicies: Policy[];
  clusterNetworkPolicies: ClusterPolicy[];
  calicoNetworkPolicies: CalicoPolicy[];
  globalNetworkPolicies: GlobalPolicy[];
  egressGateways: EgressGateway[];
}

/** A world with nothing in it. */
export function emptyWorld(): World {
  return {
    nodes: [],
    kubeControllersConfigurations: [],
    felixConfigurations: [],
    namespaces: [],
    serviceAccounts: [],
    pods: [],
    endpointSlices: [],
    networkSets: [],
    globalNetworkSets: [],
    hostEndpoints: [],
    tiers: [],
    networkPolicies: [],
    clusterNetworkPolicies: [],
    calicoNetworkPolicies: [],
    globalNetworkPolicies: [],
    egressGateways: [],
  };
}

/** One packet, as an endpoint's policies see it: after the translation of services. */
export interface Packet {
  source: string;
  destination: string;
  /** IP protocol number */
  protocol: number;
  sourcePort?: number;
  destinationPort?: number;
  icmp?: { type: number; code: number };
}

export type Direction = "ingress" | "egress";
