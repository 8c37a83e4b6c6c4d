import type * as pulumi from "@pulumi/pulumi";

// Calico's objects for BGP, in its words.

/** A network that nodes announce addresses of. */
export interface BgpNetwork {
  /** For example "10.96.0.0/12". */
  cidr: pulumi.Input<string>;
}

/** A name for a community. */
export interface BgpCommunity {
  /** For `prefixAdvertisements`. */
  name: pulumi.Input<string>;
  /** Two numbers of 16 bits or three of 32: "64512:100". */
  value: pulumi.Input<string>;
}

/** Communities of announced routes. */
export interface BgpPrefixAdvertisement {
  /** The routes in this network. */
  cidr: pulumi.Input<string>;
  /** Communities, or names of `communities`. */
  communities: pulumi.Input<string>[];
}

/** Whether nodes announce one network for load balancer addresses. */
export enum BgpAggregation {
  /** They announce the networks. */
  Enabled = "Enabled",
  /** They announce each address of a Service. */
  Disabled = "Disabled",
}

/** A key of a Secret. */
export interface BgpSecretKey {
  /** Name of a Secret in the agents' namespace. */
  name: pulumi.Input<string>;
  /** The key that holds the password: 1 to 80 printable ASCII characters, without quotes and line breaks. */
  key: pulumi.Input<string>;
}

/** With what each packet of a session is signed (RFC 2385). */
export interface BgpPassword {
  /** Where the password is. Agents get the right to read that Secret. */
  secretKeyRef: BgpSecretKey;
}

/** How nodes speak BGP: BGPConfiguration "default" (projectcalico.org/v3). */
export interface BgpConfigurationSpec {
  /** Whether each node has a session with every other. Defaults to true. */
  nodeToNodeMeshEnabled?: pulumi.Input<boolean>;
  /** AS number of the nodes, but for those with the annotation "projectcalico.org/ASNumber". Defaults to 64512. */
  asNumber?: pulumi.Input<number>;
  /** Port at which nodes listen. Defaults to 179. */
  listenPort?: pulumi.Input<number>;
  /** How long nodes keep the routes of another one that starts again: "120s". Defaults to 120 s. */
  nodeMeshMaxRestartTime?: pulumi.Input<string>;
  /** Password of the sessions between nodes. Defaults to none. */
  nodeMeshPassword?: BgpPassword;
  /** Networks of cluster IPs that all nodes announce to peers outside the mesh. Defaults to none. */
  serviceClusterIPs?: BgpNetwork[];
  /** The same of external IPs. With traffic policy Local a node announces the addresses of which it has ready endpoints. Defaults to none. */
  serviceExternalIPs?: BgpNetwork[];
  /** The same of load balancer addresses. Defaults to none. */
  serviceLoadBalancerIPs?: BgpNetwork[];
  /** Whether the networks of load balancer addresses are announced, or single addresses. Defaults to `Enabled`. */
  serviceLoadBalancerAggregation?: BgpAggregation;
  /** Names of communities. Defaults to none. */
  communities?: BgpCommunity[];
  /** Communities of announced routes. Defaults to none. */
  prefixAdvertisements?: BgpPrefixAdvertisement[];
}

/** Which address of this node a peer is told for packets. */
export enum BgpNextHopMode {
  /** As BGP has it: the node's own address for routes of other systems' peers. */
  Auto = "Auto",
  /** Always the node's own. */
  Self = "Self",
  /** The one that the node was told. */
  Keep = "Keep",
}

/** From which address a session is opened. */
export enum BgpSourceAddress {
  /** The node's own. */
  UseNodeIP = "UseNodeIP",
  /** The one that the kernel chooses. */
  None = "None",
}

/** Whether nodes that are named as peers have the other end of the session. */
export enum BgpReversePeering {
  /** They do. */
  Auto = "Auto",
  /** Another BGPPeer says so. */
  Manual = "Manual",
}

/** How the failure of a peer is found, beside the hold time of 90 s. */
export enum BgpFailureDetection {
  /** In no other way. */
  None = "None",
  /** By BFD (RFC 5881), where the peer is in a subnet of the node: in about two seconds. The peer needs BFD too. */
  BfdIfDirectlyConnected = "BFDIfDirectlyConnected",
}

/** With whom which nodes speak BGP. Needs `peerIP` and `asNumber`, or `peerSelector`. */
export interface BgpPeerSpec {
  /** Name of the object. */
  name: string;
  /** Name of the node that has the session. Defaults to all that `nodeSelector` selects. */
  node?: pulumi.Input<string>;
  /** Selector of nodes by their labels. Defaults to all. */
  nodeSelector?: pulumi.Input<string>;
  /** Address of the peer, perhaps with a port: "192.0.2.1", "[2001:db8::1]:1179". */
  peerIP?: pulumi.Input<string>;
  /** AS number of the peer. */
  asNumber?: pulumi.Input<number>;
  /** Selector of nodes that are the peers, for route reflectors (annotation "projectcalico.org/RouteReflectorClusterID"). */
  peerSelector?: pulumi.Input<string>;
  /** Password of the sessions. Defaults to none. */
  password?: BgpPassword;
  /** Which next hop the peer is told. Defaults to `Auto`. */
  nextHopMode?: BgpNextHopMode;
  /** From which address the session is opened. Defaults to `UseNodeIP`. */
  sourceAddress?: BgpSourceAddress;
  /** How long the peer keeps a node's routes while its agent starts again: "120s". Defaults to 120 s. */
  maxRestartTime?: pulumi.Input<string>;
  /** How often a route's path may have the node's own AS number. Defaults to 0. */
  numAllowedLocalASNumbers?: pulumi.Input<number>;
  /** AS number that the node has for this peer. Defaults to the node's. */
  localASNumber?: pulumi.Input<number>;
  /** Routers to the peer, at most, itself included; what comes from further away is dropped (RFC 5082). Defaults to no check. */
  ttlSecurity?: pulumi.Input<number>;
  /** Whether nodes that are the peers have the other ends. Defaults to `Auto`. */
  reversePeering?: BgpReversePeering;
  /** How a failure of the peer is found. Defaults to `None`. */
  failureDetectionMode?: BgpFailureDetection;
  /** Names of BGPFilters, in this order. Defaults to none. */
  filters?: pulumi.Input<string>[];
}

/** What becomes of a route. */
export enum BgpFilterAction {
  /** It is taken, or announced. */
  Accept = "Accept",
  /** It is not. */
  Reject = "Reject",
}

/** How a rule's network and a route's are compared. */
export enum BgpMatchOperator {
  /** They are the same. */
  Equal = "Equal",
  /** They are not. */
  NotEqual = "NotEqual",
  /** The route's is the rule's or a part of it. */
  In = "In",
  /** It is neither. */
  NotIn = "NotIn",
}

/** With which peers a rule counts. */
export enum BgpPeerType {
  /** Those of another AS. */
  Ebgp = "eBGP",
  /** Those of the node's own. */
  Ibgp = "iBGP",
}

/** Prefix lengths from `min` to `max`. */
export interface BgpPrefixLength {
  /** Defaults to the network's own. */
  min?: pulumi.Input<number>;
  /** Defaults to single addresses. */
  max?: pulumi.Input<number>;
}

/** A rule about routes. The first that fits decides. */
export interface BgpFilterRule {
  /** What becomes of the route. */
  action: BgpFilterAction;
  /** A network, with `matchOperator`. Defaults to any. */
  cidr?: pulumi.Input<string>;
  /** How it is compared. */
  matchOperator?: BgpMatchOperator;
  /** Prefix lengths, with `In` and `NotIn`. Defaults to any. */
  prefixLength?: BgpPrefixLength;
  /** "RemotePeers": the route was learned by BGP. Defaults to any route. */
  source?: pulumi.Input<string>;
  /** With which peers the rule counts. Defaults to all. */
  peerType?: BgpPeerType;
}

/** Which routes the sessions of BGPPeers take and give. What no rule fits is taken, and given if it is the cluster's. */
export interface BgpFilterSpec {
  /** Name of the object. */
  name: string;
  /** IPv4 routes that are taken. Defaults to no rules. */
  importV4?: BgpFilterRule[];
  /** IPv4 routes that are given. Defaults to no rules. */
  exportV4?: BgpFilterRule[];
  /** IPv6 routes that are taken. Defaults to no rules. */
  importV6?: BgpFilterRule[];
  /** IPv6 routes that are given. Defaults to no rules. */
  exportV6?: BgpFilterRule[];
}

/** Objects for BGP that are declared with a dataplane. Without any, BGP is not spoken. */
export interface DeclaredBgp {
  /** How nodes speak BGP. Defaults to Calico's defaults where there are `bgpPeers`. */
  bgp?: BgpConfigurationSpec;
  /** With whom. Defaults to none. */
  bgpPeers?: BgpPeerSpec[];
  /** Rules for the routes of `bgpPeers`. Defaults to none. */
  bgpFilters?: BgpFilterSpec[];
}

/** Arguments of `BgpConfiguration`. */
export interface BgpConfigurationArgs extends BgpConfigurationSpec {
  /** Namespace of the agents, which has the password's Secret: `namespace` of `Dataplane`. Defaults to "ebpf-dataplane". */
  agentNamespace?: pulumi.Input<string>;
}
/** Arguments of `BgpPeer`. */
export interface BgpPeerArgs extends BgpPeerSpec {
  /** Namespace of the agents, which has the password's Secret: `namespace` of `Dataplane`. Defaults to "ebpf-dataplane". */
  agentNamespace?: pulumi.Input<string>;
}
/** Arguments of `BgpFilter`. */
export interface BgpFilterArgs extends BgpFilterSpec {}
