import type * as pulumi from "@pulumi/pulumi";
import type { LabelSelector } from "../network-policy/args.ts";

/** When a ClusterNetworkPolicy is asked. */
export enum ClusterPolicyTier {
  /** Before the NetworkPolicies of namespaces: they cannot override it. */
  Admin = "Admin",
  /** After them: they override it. */
  Baseline = "Baseline",
}

/** What happens to packets that a rule of a ClusterNetworkPolicy matches. */
export enum ClusterPolicyAction {
  /** They pass; no further policy is asked. */
  Accept = "Accept",
  /** They are dropped. */
  Deny = "Deny",
  /** The next tier is asked. */
  Pass = "Pass",
}

/** Pods of some namespaces. */
export interface ClusterPolicyPods {
  /** Namespaces by their labels. Defaults to every namespace. */
  namespaceSelector?: pulumi.Input<LabelSelector>;
  /** Pods by their labels; {} is every pod. */
  podSelector: pulumi.Input<LabelSelector>;
}

/** The pods that a ClusterNetworkPolicy applies to: exactly one of the fields. */
export interface ClusterPolicySubject {
  /** Every pod of namespaces with these labels; {} is every namespace. */
  namespaces?: pulumi.Input<LabelSelector>;
  /** Some pods of some namespaces. */
  pods?: ClusterPolicyPods;
}

/** Sources of a rule: exactly one of the fields. */
export interface ClusterPolicyIngressPeer {
  /** Every pod of namespaces with these labels; {} is every namespace. */
  namespaces?: pulumi.Input<LabelSelector>;
  /** Some pods of some namespaces. */
  pods?: ClusterPolicyPods;
}

/** Destinations of a rule: exactly one of the fields. */
export interface ClusterPolicyEgressPeer {
  /** Every pod of namespaces with these labels; {} is every namespace. */
  namespaces?: pulumi.Input<LabelSelector>;
  /** Some pods of some namespaces. */
  pods?: ClusterPolicyPods;
  /** Nodes by their labels; {} is every node. */
  nodes?: pulumi.Input<LabelSelector>;
  /** Networks, e.g. "10.0.0.0/8", at most 25. */
  networks?: pulumi.Input<string>[];
}

/** Ports in order, both ends included. */
export interface ClusterPolicyPortRange {
  /** First port, from 1. */
  start: pulumi.Input<number>;
  /** Last port, to 65535; greater than `start`. */
  end: pulumi.Input<number>;
}

/** A destination port or a range of them: exactly one of the fields. */
export interface ClusterPolicyPort {
  /** From 1 to 65535. */
  number?: pulumi.Input<number>;
  /** Several ports. */
  range?: ClusterPolicyPortRange;
}

/** Ports of a transport protocol. */
export interface ClusterPolicyTransport {
  /** Ports of the destination. */
  destinationPort: ClusterPolicyPort;
}

/** What connections a rule matches: exactly one of the fields. */
export interface ClusterPolicyProtocol {
  /** TCP, at these ports. */
  tcp?: ClusterPolicyTransport;
  /** UDP, at these ports. */
  udp?: ClusterPolicyTransport;
  /** SCTP, at these ports. */
  sctp?: ClusterPolicyTransport;
  /** The port that the destination's containers give this name. Not beside `networks` and `nodes`. */
  destinationNamedPort?: pulumi.Input<string>;
}

/** A rule for what the subject receives; the first one that matches decides. */
export interface ClusterPolicyIngressRule {
  /** For people; at most 100 characters. */
  name?: pulumi.Input<string>;
  /** What happens to packets that match. */
  action: ClusterPolicyAction;
  /** Sources, at least one and at most 25. */
  from: ClusterPolicyIngressPeer[];
  /** At least one and at most 25. Defaults to every protocol and port. */
  protocols?: ClusterPolicyProtocol[];
}

/** A rule for what the subject sends; the first one that matches decides. */
export interface ClusterPolicyEgressRule {
  /** For people; at most 100 characters. */
  name?: pulumi.Input<string>;
  /** What happens to packets that match. */
  action: ClusterPolicyAction;
  /** Destinations, at least one and at most 25. */
  to: ClusterPolicyEgressPeer[];
  /** At least one and at most 25. Defaults to every protocol and port. */
  protocols?: ClusterPolicyProtocol[];
}

/** A ClusterNetworkPolicy of Kubernetes (policy.networking.k8s.io/v1alpha2). */
export interface ClusterNetworkPolicySpec {
  /** Name of the object. */
  name: string;
  /** When it is asked. */
  tier: ClusterPolicyTier;
  /** From 0 to 1000; lower counts first within the tier. */
  priority: pulumi.Input<number>;
  /** The pods that it applies to. */
  subject: ClusterPolicySubject;
  /** What they may receive, at most 25 rules. Defaults to none: the policy does not decide about it. */
  ingress?: ClusterPolicyIngressRule[];
  /** What they may send, at most 25 rules. Defaults to none: the policy does not decide about it. */
  egress?: ClusterPolicyEgressRule[];
}

/** Arguments of `ClusterNetworkPolicy`. */
export interface ClusterNetworkPolicyArgs extends ClusterNetworkPolicySpec {}
