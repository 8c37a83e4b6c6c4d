import type * as pulumi from "@pulumi/pulumi";

/** When a packet from pod to pod is carried in VXLAN (RFC 7348). */
export enum VxlanMode {
  /** Between any two nodes. */
  Always = "Always",
  /** Only between nodes of different subnets; nodes of one subnet route to each other. */
  CrossSubnet = "CrossSubnet",
  /** Never: the network between the nodes routes the pods' addresses. */
  Never = "Never",
}

/** When a packet from pod to pod is carried in IPIP, IPv4 in IPv4 (RFC 2003). */
export enum IpipMode {
  /** Between any two nodes. */
  Always = "Always",
  /** Only between nodes of different subnets; nodes of one subnet route to each other. */
  CrossSubnet = "CrossSubnet",
  /** Never; then `vxlanMode` decides. */
  Never = "Never",
}

/** The use of a pool's addresses. */
export enum IpPoolUse {
  /** Pods. */
  Workload = "Workload",
  /** Tunnel devices of nodes, in Calico. The tunnel devices of this dataplane have the nodes' addresses, so the pool gives none. */
  Tunnel = "Tunnel",
  /** Services of type LoadBalancer. Nodes announce the addresses on their links. */
  LoadBalancer = "LoadBalancer",
}

/** Which pods get a pool's addresses. */
export enum AssignmentMode {
  /** Pods to which no annotation gives another pool. */
  Automatic = "Automatic",
  /** Only pods that name the pool, or whose namespace does (`cni.projectcalico.org/ipv4pools`, `ipv6pools`). */
  Manual = "Manual",
}

/** A pool of addresses for pods or load balancers. */
export interface IpPoolSpec {
  /** Name of the IPPool object. Defaults to "default-ipv4-ippool", or "default-ipv6-ippool" where `cidr` is a known IPv6 network. */
  name?: string;
  /**
   * Network the pool gives addresses from; apart from other pools and the Services' networks. A pod gets an address of each family
   * that has a pool. Cannot change later.
   */
  cidr: pulumi.Input<string>;
  /**
   * Prefix length of the blocks that nodes take from the pool, from 20 to 32, of IPv6 from 116 to 128. Cannot change later. Defaults to
   * 26, of IPv6 to 122.
   */
  blockSize?: pulumi.Input<number>;
  /** When packets between pods of this pool are encapsulated in VXLAN. Defaults to `CrossSubnet`, where `ipipMode` is in use to `Never`. */
  vxlanMode?: VxlanMode;
  /** The same for IPIP, which is for IPv4 only and leaves pods 30 bytes more than VXLAN. Services still need VXLAN (UDP 4789) between
   * nodes. Not beside a `vxlanMode`. Defaults to `Never`. */
  ipipMode?: IpipMode;
  /** Whether connections to addresses outside all pools leave with the node's address. Defaults to true, for IPv6 to false. */
  natOutgoing?: pulumi.Input<boolean>;
  /**
   * Address that hosts outside see as the client of the pool's pods, in place of the node's usual one (`natOutgoing` or not). Every node with
   * pods of the pool must have it, so limit the pool to one (`nodeSelector`): elsewhere what the pods send outside is dropped. For other
   * pods use `egressGateways`. Defaults to none.
   */
  egressAddress?: pulumi.Input<string>;
  /** Nodes whose pods get addresses, in Calico's selector language: "rack == '1'". A pod or namespace that names the pool takes
   * precedence. Defaults to all nodes. */
  nodeSelector?: pulumi.Input<string>;
  /** Namespaces whose pods get addresses, also those that name the pool, in Calico's selector language. Defaults to all namespaces. */
  namespaceSelector?: pulumi.Input<string>;
  /** Which pods get addresses. Defaults to `Automatic`. */
  assignmentMode?: AssignmentMode;
  /** The use of the addresses. A pool for `LoadBalancer` has no other use and needs `loadBalancer` of `Dataplane`; `blockSize`,
   * `vxlanMode`, `ipipMode` and `natOutgoing` have no effect. Cannot change later. Defaults to `Workload`. */
  allowedUses?: IpPoolUse[];
  /** Whether the pool gives no new addresses. Defaults to false. */
  disabled?: pulumi.Input<boolean>;
}

/** Arguments of `IpPool`. */
export interface IpPoolArgs extends IpPoolSpec {}
