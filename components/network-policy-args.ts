import type * as pulumi from "@pulumi/pulumi";

/** Arguments of `NetworkPolicy`. */
export interface NetworkPolicyArgs {
  /** Name of the NetworkPolicy object. */
  name: string;
  /** Namespace whose pods the policy is about. Defaults to "default". */
  namespace?: string;
  /** Labels of the pods the policy selects. Defaults to none: every pod of the namespace. */
  podSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Directions in which selected pods accept only what a rule allows. Defaults to those that have rules, and to `Ingress` when
   * none has.
   */
  policyTypes?: PolicyType[];
  /** What selected pods may receive. Empty and absent allow nothing where `policyTypes` has `Ingress`. */
  ingress?: NetworkPolicyRule[];
  /** What selected pods may send. Empty and absent allow nothing where `policyTypes` has `Egress`. */
  egress?: NetworkPolicyRule[];
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
}

/** Traffic that is allowed: with any of the peers, on any of the ports. */
export interface NetworkPolicyRule {
  /** Who the traffic is with: sources of ingress, destinations of egress. Defaults to everybody. */
  peers?: NetworkPolicyPeer[];
  /** Destination ports. Defaults to every port. */
  ports?: NetworkPolicyPort[];
}

/** One set of peers: addresses, or pods by their labels. */
export interface NetworkPolicyPeer {
  /** Addresses; excludes the selectors. */
  ipBlock?: IpBlock;
  /** Labels of pods, in the namespaces of `namespaceSelector`, or in the policy's own when that is absent. */
  podSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Labels of namespaces; {} is every namespace. */
  namespaceSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A range of addresses. */
export interface IpBlock {
  /** IPv4 network, e.g. "172.31.1.55/32". */
  cidr: pulumi.Input<string>;
  /** IPv4 networks inside `cidr` that do not belong to the range. Defaults to none. */
  except?: pulumi.Input<string>[];
}

/** A destination port. */
export interface NetworkPolicyPort {
  /** Defaults to `Tcp`. */
  protocol?: Protocol;
  /** From 1 to 65535. Defaults to every port of the protocol. */
  port?: number;
}
