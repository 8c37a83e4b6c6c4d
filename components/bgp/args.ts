import type * as pulumi from "@pulumi/pulumi";

// Calico's objects for BGP, with Calico's field names.

/** A network of which nodes announce addresses. */
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
  /** Nodes announce the networks. */
  Enabled = "Enabled",
  /** Nodes announce each address of a Service. */
  Disabled = "Disabled",
}

/** A key of a Secret. */
export interface BgpSecretKey {
  /** Name of a Secret in the agents' namespace. */
  name: pulumi.Input<string>;
  /** The key that holds the password: 1 to 80 printable ASCII characters, without quotes and line breaks. */
  key: pulumi.Input<string>;
}

/** The password with which each packet of a session is signed (RFC 2385). */
export interface BgpPassword {
  /** Where the password is. Agents get the right to read that Secret. */
  secretKeyRef: BgpSecretKey;
}

/** How nodes speak BGP: BGPConfiguration "default" (projectcalico.org/v3). */
export interface BgpConfigurationSpec {
  /** Whether each node has a session with every other. Defaults to true. */
  nodeToNodeMeshEnabled?: pulumi.Input<boolean>;
  /** AS number of the nodes, except those with the annotation "projectcalico.org/ASNumber". Defaults to 64512. */
  asNumber?: pulumi.Input<number>;
  /** Port at which nodes listen. Defaults to 179. */
  listenPort?: pulumi.Input<number>;
  /** How long nodes keep the routes of another node that restarts: "120s". Defaults to 120 s. */
  nodeMeshMaxRestartTime?: pulumi.Input<string>;
  /** Password of the sessions between nodes. Defaults to none. */
  nodeMeshPassword?: BgpPassword;
  /** Networks of cluster IPs that all nodes announce to peers outside the mesh. Defaults to none. */
  serviceClusterIPs?: BgpNetwork[];
  /** The same for external IPs. With traffic policy Local a node announces the addresses for which it has ready endpoints. Defaults to
   * none. */
  serviceExternalIPs?: BgpNetwork[];
  /** The same for load balancer addresses. Defaults to none. */
  serviceLoadBalancerIPs?: BgpNetwork[];
  /** Whether the networks of load balancer addresses are announced, or single addresses. Defaults to `Enabled`. */
  serviceLoadBalancerAggregation?: BgpAggregation;
  /** Names of communities. Defaults to none. */
  communities?: BgpCommunity[];
  /** Communities of announced routes. Defaults to none. */
  prefixAdvertisements?: BgpPrefixAdvertisement[];
}

/** Which next hop a peer is told for this node's routes. */
export enum BgpNextHopMode {
  /** As BGP defines it: the node's own address for routes to peers of other systems. */
  Auto = "Auto",
  /** Always the node's own address. */
  Self = "Self",
  /** The one that the node received. */
  Keep = "Keep",
}

/** The address from which a session is opened. */
export enum BgpSourceAddress {
  /** The node's own address. */
  UseNodeIP = "UseNodeIP",
  /** The address that the kernel chooses. */
  None = "None",
}

/** Whether nodes that are named as peers open the other end of the session. */
export enum BgpReversePeering {
  /** They open it. */
  Auto = "Auto",
  /** Another BGPPeer describes it. */
  Manual = "Manual",
}

/** How the failure of a peer is detected, besides the hold time of 90 s. */
export enum BgpFailureDetection {
  /** By the hold time only. */
  None = "None",
  /** By BFD (RFC 5881), if the peer is in a subnet of the node: in about two seconds. The peer needs BFD too. */
  BfdIfDirectlyConnected = "BFDIfDirectlyConnected",
}

/** Which nodes have BGP sessions with which peer. Needs `peerIP` and `asNumber`, or `peerSelector`. */
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
  /** The address from which the session is opened. Defaults to `UseNodeIP`. */
  sourceAddress?: BgpSourceAddress;
  /** How long the peer keeps a node's routes while its agent restarts: "120s". Defaults to 120 s. */
  maxRestartTime?: pulumi.Input<string>;
  /** How often a route's path may contain the node's own AS number. Defaults to 0. */
  numAllowedLocalASNumbers?: pulumi.Input<number>;
  /** AS number that the node has for this peer. Defaults to the node's. */
  localASNumber?: pulumi.Input<number>;
  /** The most routers to the peer, itself included; packets from further away are dropped (RFC 5082). Defaults to no check. */
  ttlSecurity?: pulumi.Input<number>;
  /** Whether nodes that are the peers open the other ends. Defaults to `Auto`. */
  reversePeering?: BgpReversePeering;
  /** How a failure of the peer is detected. Defaults to `None`. */
  failureDetectionMode?: BgpFailureDetection;
  /** Names of BGPFilters, in this order. Defaults to none. */
  filters?: pulumi.Input<string>[];
}

/** What happens to a route. */
export enum BgpFilterAction {
  /** It is accepted, or announced. */
  Accept = "Accept",
  /** It is not. */
  Reject = "Reject",
}

/** How a rule's network is compared with a route's. */
export enum BgpMatchOperator {
  /** They are the same. */
  Equal = "Equal",
  /** They are not. */
  NotEqual = "NotEqual",
  /** The route's network is the rule's or a part of it. */
  In = "In",
  /** The route's network is neither the rule's nor a part of it. */
  NotIn = "NotIn",
}

/** The peers for which a rule applies. */
export enum BgpPeerType {
  /** Peers of another AS. */
  Ebgp = "eBGP",
  /** Peers of the node's own AS. */
  Ibgp = "iBGP",
}

/** Prefix lengths from `min` to `max`. */
export interface BgpPrefixLength {
  /** Defaults to the network's own. */
  min?: pulumi.Input<number>;
  /** Defaults to single addresses. */
  max?: pulumi.Input<number>;
}

/** A rule about routes. The first rule that matches decides. */
export interface BgpFilterRule {
  /** What happens to the route. */
  action: BgpFilterAction;
  /** A network, with `matchOperator`. Defaults to any. */
  cidr?: pulumi.Input<string>;
  /** How it is compared. */
  matchOperator?: BgpMatchOperator;
  /** Prefix lengths, with `In` and `NotIn`. Defaults to any. */
  prefixLength?: BgpPrefixLength;
  /** "RemotePeers": the route was learned by BGP. Defaults to any route. */
  source?: pulumi.Input<string>;
  /** The peers for which the rule applies. Defaults to all. */
  peerType?: BgpPeerType;
}

/** Which routes the sessions of BGPPeers accept and announce. A route that no rule matches is accepted, and announced if it is the
 * cluster's. */
export interface BgpFilterSpec {
  /** Name of the object. */
  name: string;
  /** Rules for IPv4 routes that are received. Defaults to no rules. */
  importV4?: BgpFilterRule[];
  /** Rules for IPv4 routes that are announced. Defaults to no rules. */
  exportV4?: BgpFilterRule[];
  /** Rules for IPv6 routes that are received. Defaults to no rules. */
  importV6?: BgpFilterRule[];
  /** Rules for IPv6 routes that are announced. Defaults to no rules. */
  exportV6?: BgpFilterRule[];
}

/** Objects for BGP that are declared with a dataplane. Without any, nodes do not use BGP. */
export interface DeclaredBgp {
  /** How nodes speak BGP. Defaults to Calico's defaults if there are `bgpPeers`. */
  bgp?: BgpConfigurationSpec;
  /** The peers. Defaults to none. */
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
