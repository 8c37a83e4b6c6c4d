import type * as pulumi from "@pulumi/pulumi";
import type { PolicyType } from "../network-policy/args.ts";

/** What happens to a packet that a rule matches. */
export enum PolicyAction {
  /** It passes; no further policy is asked. */
  Allow = "Allow",
  /** It is dropped. */
  Deny = "Deny",
  /** It is logged, and the next rule is asked. */
  Log = "Log",
  /** The next tier is asked. */
  Pass = "Pass",
}

/** What happens to packets to which a policy of a tier applies and that no rule of the tier matches. */
export enum TierDefaultAction {
  /** They are dropped. */
  Deny = "Deny",
  /** The next tier is asked. */
  Pass = "Pass",
}

/** One type of ICMP or ICMPv6 messages, e.g. 8 and code 0 for an echo request of ICMP. */
export interface IcmpMatch {
  /** From 0 to 254. */
  type: pulumi.Input<number>;
  /** From 0 to 255. Defaults to every code of the type. */
  code?: pulumi.Input<number>;
}

/** A Service: its endpoints at their ports. */
export interface ServiceMatch {
  /** Name of the Service. */
  name: pulumi.Input<string>;
  /** Its namespace; needed in global policies. Defaults to the policy's. */
  namespace?: pulumi.Input<string>;
}

/** Pods by their service account. If both fields are given, both must hold. */
export interface ServiceAccountMatch {
  /** Names, one of which it has. */
  names?: pulumi.Input<string>[];
  /** Selector of its labels. */
  selector?: pulumi.Input<string>;
}

/** One side of a connection: everything that is given must hold. */
export interface EntityRule {
  /** Networks, one of which holds the address, e.g. "10.0.0.0/8". At least one; of one address family in a rule. */
  nets?: pulumi.Input<string>[];
  /** Networks, none of which holds the address. */
  notNets?: pulumi.Input<string>[];
  /** Selector of endpoints and network sets, e.g. `app == 'web' && tier in {'front', 'edge'}`. */
  selector?: pulumi.Input<string>;
  /** Selector that must not match. Addresses that belong to no endpoint or network set match no selector. */
  notSelector?: pulumi.Input<string>;
  /** Selector of the endpoints' namespaces; "global()": host endpoints and global network sets only. */
  namespaceSelector?: pulumi.Input<string>;
  /** The endpoints of a Service: of the source in ingress rules, of the destination in egress rules. Not beside selectors and networks. */
  services?: ServiceMatch;
  /** Pods by their service account. */
  serviceAccounts?: ServiceAccountMatch;
  /** Ports, at least one: numbers, ranges like "8000:8100", names. Numbers need `protocol` TCP, UDP or SCTP. */
  // biome-ignore lint/suspicious/noExplicitAny: numbers or texts, which the schema for other languages has no other word for
  ports?: any[];
  /** Ports that do not match. */
  // biome-ignore lint/suspicious/noExplicitAny: numbers or texts, which the schema for other languages has no other word for
  notPorts?: any[];
}

/** Text about a rule, for people. */
export interface RuleMetadata {
  /** By their names. */
  annotations?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** A rule: the first one that matches decides. Everything that is given must hold. */
export interface PolicyRule {
  /** What happens to packets that match. */
  action: PolicyAction;
  /** 4 or 6. Defaults to both. */
  ipVersion?: pulumi.Input<number>;
  /** "TCP", "UDP", "ICMP", "ICMPv6", "SCTP", "UDPLite" or a number from 1 to 255. Defaults to every protocol. */
  // biome-ignore lint/suspicious/noExplicitAny: a number or a text, which the schema for other languages has no other word for
  protocol?: any;
  /** A protocol that does not match. */
  // biome-ignore lint/suspicious/noExplicitAny: a number or a text, which the schema for other languages has no other word for
  notProtocol?: any;
  /** Messages of ICMP; needs `protocol` ICMP or ICMPv6. */
  icmp?: IcmpMatch;
  /** Messages of ICMP that do not match. */
  notICMP?: IcmpMatch;
  /** Who opens the connection. Defaults to anybody. */
  source?: EntityRule;
  /** Who accepts it. Defaults to anybody. */
  destination?: EntityRule;
  /** Text for people. */
  metadata?: RuleMetadata;
}

/** The fields of both kinds of Calico's policies (projectcalico.org/v3). */
export interface TieredPolicySpec {
  /** Name of the object. */
  name: string;
  /** Tier that the policy is in. Defaults to "default". */
  tier?: pulumi.Input<string>;
  /** Lower counts first within the tier; of two alike, the name decides. Defaults to after all others. */
  order?: pulumi.Input<number>;
  /** Selector of the endpoints that the policy applies to. Defaults to "all()". */
  selector?: pulumi.Input<string>;
  /** Selector of the service accounts of pods that it applies to. */
  serviceAccountSelector?: pulumi.Input<string>;
  /** Directions in which it applies. Defaults to those that have rules, or `Ingress`. */
  types?: PolicyType[];
  /** What the endpoints may receive. */
  ingress?: PolicyRule[];
  /** What they may send. */
  egress?: PolicyRule[];
  /** Hints to Calico, which change nothing: "AssumeNeededOnEveryNode". */
  performanceHints?: pulumi.Input<string>[];
}

/** A NetworkPolicy of Calico. */
export interface CalicoNetworkPolicySpec extends TieredPolicySpec {
  /** Namespace to whose pods the policy applies. Defaults to "default". */
  namespace?: string;
}

/** A GlobalNetworkPolicy of Calico, for pods of every namespace and for hosts. */
export interface GlobalNetworkPolicySpec extends TieredPolicySpec {
  /** Selector of the namespaces of pods that it applies to. Defaults to all, and host endpoints. */
  namespaceSelector?: pulumi.Input<string>;
  /** Whether the policy of host endpoints is asked before connections are tracked. Needs `applyOnForward`. Defaults to false. */
  doNotTrack?: pulumi.Input<boolean>;
  /** Whether the policy sees the address that the client used, before Services are translated. Needs `applyOnForward`, and no egress.
   * Defaults to false. */
  preDNAT?: pulumi.Input<boolean>;
  /** Whether it applies to traffic that a host forwards, too. Defaults to false. */
  applyOnForward?: pulumi.Input<boolean>;
}

/** A tier: policies that are asked together. */
export interface TierSpec {
  /** Name of the object; policies name it. */
  name: string;
  /** Lower counts first: "default" has 1000000. Defaults to after all others. */
  order?: pulumi.Input<number>;
  /** What happens to traffic that none of its rules matches. Defaults to `Deny`. */
  defaultAction?: TierDefaultAction;
}

/** A named port of a host endpoint. */
export interface EndpointPort {
  /** At most 128 letters, digits, "_", "." and "-". */
  name: pulumi.Input<string>;
  /** "TCP", "UDP", "SCTP" or their numbers. */
  // biome-ignore lint/suspicious/noExplicitAny: a number or a text, which the schema for other languages has no other word for
  protocol: any;
  /** From 1 to 65535. */
  port: pulumi.Input<number>;
}

/** Interfaces of a node that policies protect. Without a policy that allows, everything but fail-safe ports is dropped there. */
export interface HostEndpointSpec {
  /** Name of the object. */
  name: string;
  /** Labels that policies select it by. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Name of the node. */
  node: pulumi.Input<string>;
  /** An interface, or "*" for all. Needed without `expectedIPs`. */
  interfaceName?: pulumi.Input<string>;
  /** Addresses of the interface, by which rules that select this endpoint know it. */
  expectedIPs?: pulumi.Input<string>[];
  /** ["projectcalico-default-allow"]: traffic to which no policy applies passes. Defaults to none: it is dropped. */
  profiles?: pulumi.Input<string>[];
  /** Named ports. */
  ports?: EndpointPort[];
}

/** Networks with labels, by which rules of any namespace select them. */
export interface GlobalNetworkSetSpec {
  /** Name of the object. */
  name: string;
  /** Labels that rules select it by. */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Addresses and networks, e.g. "192.0.2.7" and "10.0.0.0/8". */
  nets?: pulumi.Input<string>[];
}

/** Networks with labels, by which rules select them in the set's namespace or with a `namespaceSelector`. */
export interface NetworkSetSpec extends GlobalNetworkSetSpec {
  /** Namespace of the set. Defaults to "default". */
  namespace?: string;
}

/** Arguments of `CalicoNetworkPolicy`. */
export interface CalicoNetworkPolicyArgs extends CalicoNetworkPolicySpec {}
/** Arguments of `GlobalNetworkPolicy`. */
export interface GlobalNetworkPolicyArgs extends GlobalNetworkPolicySpec {}
/** Arguments of `Tier`. */
export interface TierArgs extends TierSpec {}
/** Arguments of `HostEndpoint`. */
export interface HostEndpointArgs extends HostEndpointSpec {}
/** Arguments of `NetworkSet`. */
export interface NetworkSetArgs extends NetworkSetSpec {}
/** Arguments of `GlobalNetworkSet`. */
export interface GlobalNetworkSetArgs extends GlobalNetworkSetSpec {}
