import type * as pulumi from "@pulumi/pulumi";

/** Arguments of `NetworkPolicy`. */
export interface NetworkPolicyArgs extends NetworkPolicySpec {}

/** A NetworkPolicy: fields and defaults are those of networking.k8s.io/v1. */
export interface NetworkPolicySpec {
  /** Name of the NetworkPolicy object. */
  name: string;
  /** Namespace whose pods the policy is about. Defaults to "default". */
  namespace?: string;
  /** The pods that the policy selects. Defaults to every pod of the namespace. */
  podSelector?: pulumi.Input<LabelSelector>;
  /**
   * Directions in which selected pods accept only what a rule allows. Defaults to `Ingress`, and `Egress` as well where `egress` has
   * rules. Needed where `egress` is an empty list, and where only `Egress` is meant.
   */
  policyTypes?: PolicyType[];
  /** What selected pods may receive. Empty and absent allow nothing where `policyTypes` has `Ingress`. */
  ingress?: NetworkPolicyIngressRule[];
  /** What selected pods may send. Empty and absent allow nothing where `policyTypes` has `Egress`. */
  egress?: NetworkPolicyEgressRule[];
}

/** A direction of traffic, seen from the selected pods. */
export enum PolicyType {
  /** What the pods receive. */
  Ingress = "Ingress",
  /** What the pods send. */
  Egress = "Egress",
}

/** A transport protocol. */
export enum Protocol {
  /** RFC 9293. */
  Tcp = "TCP",
  /** RFC 768. */
  Udp = "UDP",
  /** RFC 9260. */
  Sctp = "SCTP",
}

/** Traffic that may be received: from any of the sources, on any of the ports. */
export interface NetworkPolicyIngressRule {
  /** Sources, at least one. Defaults to everybody. */
  from?: NetworkPolicyPeer[];
  /** Ports of the selected pods, at least one. Defaults to every port. */
  ports?: NetworkPolicyPort[];
}

/** Traffic that may be sent: to any of the destinations, on any of the ports. */
export interface NetworkPolicyEgressRule {
  /** Destinations, at least one. Defaults to everybody. */
  to?: NetworkPolicyPeer[];
  /** Ports of the destinations, at least one. Defaults to every port. */
  ports?: NetworkPolicyPort[];
}

/** One set of peers: addresses, or pods by their labels. */
export interface NetworkPolicyPeer {
  /** Addresses; excludes the selectors. */
  ipBlock?: IpBlock;
  /** Pods, in the namespaces of `namespaceSelector`, or in the policy's own when that is absent; {} is every pod. */
  podSelector?: pulumi.Input<LabelSelector>;
  /** Namespaces; {} is every namespace. */
  namespaceSelector?: pulumi.Input<LabelSelector>;
}

/** Objects by their labels: those that meet every part. Without parts: all objects. */
export interface LabelSelector {
  /** Labels that they have. */
  matchLabels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Conditions on their labels. */
  matchExpressions?: LabelSelectorRequirement[];
}

/** A condition on a label. */
export interface LabelSelectorRequirement {
  /** The label's key. */
  key: string;
  /** How its value is compared with `values`. */
  operator: LabelSelectorOperator;
  /** Values, at least one for `In` and `NotIn`; absent for the others. */
  values?: pulumi.Input<string>[];
}

/** How a label is compared with values. */
export enum LabelSelectorOperator {
  /** It has one of them. */
  In = "In",
  /** It has none of them, or does not exist. */
  NotIn = "NotIn",
  /** It exists. */
  Exists = "Exists",
  /** It does not exist. */
  DoesNotExist = "DoesNotExist",
}

/** A range of addresses. */
export interface IpBlock {
  /** IPv4 network, e.g. "172.31.1.55/32". */
  cidr: pulumi.Input<string>;
  /** IPv4 networks inside `cidr`, smaller than it, that do not belong to the range. Defaults to none. */
  except?: pulumi.Input<string>[];
}

/** A destination port, or a range of them. */
export interface NetworkPolicyPort {
  /** Defaults to `Tcp`. */
  protocol?: Protocol;
  /** A number from 1 to 65535, or the name that the pods' containers give a port. Defaults to every port of the protocol. */
  // biome-ignore lint/suspicious/noExplicitAny: a number or a text, which the schema for other languages has no other word for
  port?: any;
  /** Last port of a range that begins at `port`, which must be a number then. Defaults to `port`. */
  endPort?: pulumi.Input<number>;
}
