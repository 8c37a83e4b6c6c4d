import type { MachineRole } from "../machine/machine.ts";

/** Processors that instances may have. */
export enum Architecture {
  /** x86-64. */
  Amd64 = "amd64",
  /** 64-bit ARM (Graviton). */
  Arm64 = "arm64",
}

/** An EC2 instance. */
export interface AwsMachine {
  /** Host name, and the node's name in Kubernetes: a DNS label, different for every machine. */
  name: string;
  /** What the machine is for. */
  role: MachineRole;
  /** Private IPv4 address; inside one of the subnets, whose first four and last addresses belong to AWS. */
  address: string;
  /** EC2 instance type. Defaults to t3.medium for nodes and t3.micro for clients; t4g for `Arm64`. */
  instanceType?: string;
  /** Whether AWS may take the instance back at two minutes' notice, for less money. Workers only. Defaults to false. */
  spot?: boolean;
  /**
   * With `podRouting: CloudRoutes`: the network of a node's pods, inside `podSubnet`, at least a /26, apart from other nodes' ones. Write it
   * before a machine ahead of this one is removed from the list: its pods keep their addresses. Defaults to the /24 of its place among the nodes of the list.
   */
  podCidr?: string;
}
