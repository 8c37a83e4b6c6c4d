/** The purpose of a machine. */
export enum MachineRole {
  /** Runs the control plane of Kubernetes, and pods that tolerate it. */
  ControlPlane = "control-plane",
  /** Runs pods. */
  Worker = "worker",
  /** Is outside the cluster and uses its services. */
  Client = "client",
  /** Connects the subnets of a `LocalCluster`, and learns routes by BGP. */
  Router = "router",
}

/** The link by which packets reach a machine of a local cluster. */
export interface LocalLink {
  /** Bytes of the largest IP packet on the link, in both directions, from 1280 to 65535. Defaults to 1500. */
  mtu?: number;
  /** Percent of the packets towards the machine that get lost, from 0 to 100. Needs the kernel's netem. Defaults to 0. */
  lossPercent?: number;
  /** Milliseconds by which each packet towards the machine is delayed, at most 10000. Needs the kernel's netem. Defaults to 0. */
  delayMs?: number;
}

/** A subnet of a local cluster. Its first addresses (10.1.1.1, fd00:10:1:1::1) are those of its gateway. */
export interface LocalSubnet {
  /** A DNS label, different for every subnet. */
  name: string;
  /** IPv4 network from /24 to /29, such as "10.1.1.0/24"; apart from all others. In a cluster with IPv6 alone an IPv6 network of /64. */
  cidr: string;
  /** IPv6 network of /64. Defaults to the one with the numbers of `cidr`: "fd00:10:1:1::/64" for "10.1.1.0/24". */
  cidrIpv6?: string;
  /** The link of each machine in the subnet, the router too. Defaults to 1500 bytes without loss and delay. */
  link?: LocalLink;
}

/** A machine of a local cluster. */
export interface Machine {
  /** Host name, and the node's name in Kubernetes: a DNS label, different for every machine. */
  name: string;
  /** The purpose of the machine. */
  role: MachineRole;
  /**
   * IPv4 address of its subnet, without `subnets` from 172.31.1.2 to 172.31.1.254 (172.31.1.1 is the switch); different for every
   * machine. A router has the first address of a subnet here, and that of each other subnet too. In a cluster with IPv6 alone an IPv6 address.
   */
  address: string;
  /**
   * IPv6 address of its subnet, without `subnets` in fd00:172:31:1::/64 (fd00:172:31:1::1 is the switch); different for every machine.
   * Defaults to the one that ends with the last number of `address`: fd00:172:31:1::8 for 172.31.1.8.
   */
  addressIpv6?: string;
  /** Name of its subnet. Defaults to the one of its address. */
  subnet?: string;
  /** Its link, where it differs from its subnet's. Defaults to the subnet's. */
  link?: LocalLink;
}

/** A machine as other machines reach it. */
export interface MachineAddress {
  /** Host name. */
  name: string;
  /** IPv4 address; IPv6 where it has no other. */
  address: string;
  /** IPv6 address beside that of IPv4. Defaults to none. */
  addressIpv6?: string;
}

/** Where a Kubernetes API server answers. */
export interface ApiServerAddress {
  /** Address or DNS name, without scheme. */
  host: string;
  /** TCP port. */
  port: number;
}

/** The control plane, the worker and the two clients of the walk-through. */
export const WALK_THROUGH_MACHINES: Machine[] = [
  { name: "master", role: MachineRole.ControlPlane, address: "172.31.1.8" },
  { name: "node", role: MachineRole.Worker, address: "172.31.1.207" },
  { name: "client1", role: MachineRole.Client, address: "172.31.1.55" },
  { name: "client2", role: MachineRole.Client, address: "172.31.1.162" },
];
