/** What a machine is for. */
export enum MachineRole {
  /** Runs the control plane of Kubernetes, and pods that tolerate it. */
  ControlPlane = "control-plane",
  /** Runs pods. */
  Worker = "worker",
  /** Is outside the cluster and uses its services. */
  Client = "client",
}

/** A machine of a local cluster. */
export interface Machine {
  /** Host name, and the node's name in Kubernetes: a DNS label, different for every machine. */
  name: string;
  /** What the machine is for. */
  role: MachineRole;
  /** IPv4 address from 172.31.1.2 to 172.31.1.254 (172.31.1.1 is the switch); different for every machine. */
  address: string;
  /**
   * IPv6 address in fd00:172:31:1::/64 (fd00:172:31:1::1 is the switch); different for every machine. Defaults to the one that ends
   * with the last number of `address`: fd00:172:31:1::8 for 172.31.1.8.
   */
  addressIpv6?: string;
}

/** A machine as others reach it. */
export interface MachineAddress {
  /** Host name. */
  name: string;
  /** IPv4 address. */
  address: string;
  /** IPv6 address. Defaults to none. */
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
