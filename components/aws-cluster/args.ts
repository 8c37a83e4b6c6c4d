import type * as pulumi from "@pulumi/pulumi";
import type { Architecture, AwsMachine } from "../aws/machine.ts";
import type { AwsSubnet } from "../aws/subnet.ts";
import type { ReturnMode } from "../dataplane/args.ts";
import type { IpipMode, VxlanMode } from "../ip-pool/args.ts";
import type { AddressFamily } from "../machine/address-family.ts";

/** What may be open to 0.0.0.0/0. Each is opened only if it is set here. */
export enum WorldAccess {
  /** SSH to nodes and clients. */
  Ssh = "ssh",
  /** The API server. */
  ApiServer = "api-server",
  /** The node ports. */
  NodePorts = "node-ports",
}

/** How pods' packets travel from one node to another. */
export enum PodRouting {
  /** The nodes carry them, in VXLAN where `vxlanMode` says so. */
  Nodes = "Nodes",
  /** The VPC carries them: its route tables have a route to each node's pods. Packets leave as pods send them, also between subnets. */
  CloudRoutes = "CloudRoutes",
}

/** Logging in by SSH as the image's user ("admin" on Debian). */
export interface SshAccess {
  /** Public key in OpenSSH's form, e.g. "ssh-ed25519 AAAA…". */
  publicKey: pulumi.Input<string>;
  /** IPv4 networks from which port 22 is reached. */
  cidrs: pulumi.Input<string>[];
}

/** Arguments of `AwsCluster`. */
export interface AwsClusterArgs {
  /**
   * Name of the cluster in its region, the first part of names and the path of its parameters (`/ebpf-dataplane/NAME/…`): at most 32
   * lower case letters, digits and "-". Defaults to the component's name and the stack's, "cluster-aws".
   */
  clusterName?: string;
  /**
   * Release of Kubernetes. A later one upgrades the running nodes, drained one by one, the control plane first; at most one minor version at
   * a time, and never back. Defaults to "v1.35.0".
   */
  kubernetesVersion?: string;
  /**
   * Families of the addresses that nodes, pods and Services have in Kubernetes: one, or both in a dual-stack cluster; the first one is the family
   * of Services that ask for none. With IPv6 AWS gives a new VPC an IPv6 network, each subnet has a /64 of it, and the IPv6 address of each machine
   * ends with its IPv4 address, which it always has: AWS's parameters and public addresses need it. Defaults to `[Ipv4]`, and to `[Ipv4, Ipv6]`
   * with IPv6 networks.
   */
  ipFamilies?: AddressFamily[];
  /** IPv4 network the pods' addresses come from. Defaults to "10.244.0.0/16". */
  podSubnet?: pulumi.Input<string>;
  /** IPv4 network the Services' addresses come from. Defaults to "10.96.0.0/12". */
  serviceSubnet?: pulumi.Input<string>;
  /** IPv6 network the pods' addresses come from, from /48 to /64. Defaults to "fd00:10:244::/56" if `ipFamilies` has IPv6, else to none. */
  podSubnetIpv6?: pulumi.Input<string>;
  /** IPv6 network the Services' addresses come from, from /108 to /120. Defaults to "fd00:10:96::/112" if `ipFamilies` has IPv6, else to none. */
  serviceSubnetIpv6?: pulumi.Input<string>;
  /** Nodes and clients. Defaults to "master" (172.31.1.8), "node" (172.31.1.207), "client1" (172.31.1.55) and "client2" (172.31.1.162). */
  machines?: AwsMachine[];
  /** Processor of the instances. Defaults to `Amd64`. */
  architecture?: Architecture;
  /** Id of a VPC that exists. Defaults to a new one with a way out. */
  vpcId?: pulumi.Input<string>;
  /** IPv4 network of the VPC. Defaults to "172.31.0.0/16". */
  vpcCidr?: pulumi.Input<string>;
  /** Subnets of the machines. Defaults to one, "172.31.1.0/24". */
  subnets?: AwsSubnet[];
  /** Whether instances get public addresses. With them the instances reach registries, and the API server is reached from outside;
   * without them the subnets need another way out, and this computer a way in. Over IPv6 the instances reach the outside, and nothing
   * outside reaches them. Defaults to true. */
  publicAddresses?: boolean;
  /** IPv4 networks from which the API server is reached, besides the nodes: this computer's address as /32 is one of them. */
  adminCidrs: pulumi.Input<string>[];
  /** Networks from which node ports are reached, besides the clients; IPv6 networks too if the cluster has IPv6. Defaults to none. */
  nodePortCidrs?: pulumi.Input<string>[];
  /** What may be open to every address. Defaults to nothing. */
  openToWorld?: WorldAccess[];
  /** SSH access. Defaults to none. */
  ssh?: SshAccess;
  /** Whether AWS Session Manager may log in to instances. Defaults to false. */
  sessionManager?: boolean;
  /** How replies return, as in `Dataplane`: with `Dsr` nodes send with each other's addresses. Defaults to `Dsr`. */
  returnMode?: ReturnMode;
  /**
   * When pods' packets are encapsulated in VXLAN, as in the `IpPool`s: where they are not, nodes send with pods' addresses. Defaults to `CrossSubnet`, where `ipipMode` is in use
   * to `Never`.
   */
  vxlanMode?: VxlanMode;
  /** The same in IPIP: opens IP protocol 4 between nodes. Defaults to `Never`. */
  ipipMode?: IpipMode;
  /** How pods' packets travel from one node to another. With `CloudRoutes` each node has a fixed network of pods (`podCidr` of its
   * machine), the source/destination check is off, `vxlanMode` is `Never`, and the `Dataplane` needs `ipPools: cloudRoutePools(…)`.
   * Only for IPv4. A route table has 500 routes unless AWS gives you more. Defaults to `Nodes`. */
  podRouting?: PodRouting;
  /** With `podRouting: CloudRoutes` in a VPC that exists: ids of the route tables of its subnets, which get the routes. */
  routeTableIds?: pulumi.Input<string>[];
  /** EC2's check that an instance sends and receives with its own address only. Defaults to false where `returnMode` or the modes of encapsulation need that, else true. */
  sourceDestCheck?: boolean;
  /** Name pattern of the machine image; the newest that matches. Defaults to "debian-13-ARCHITECTURE-*". */
  imageName?: string;
  /** Account that owns the image. Defaults to Debian's, "136693071363". */
  imageOwner?: string;
  /** Id of the machine image, in place of a search by name; its kernel must be 6.1 or later. */
  imageId?: pulumi.Input<string>;
  /** Size of the instances' encrypted disks in GiB, at least 8. Defaults to 20. */
  diskSize?: pulumi.Input<number>;
  /** Whether the control plane is kept from being deleted or replaced (Pulumi's `protect`). Defaults to true. */
  protectControlPlane?: boolean;
  /** Tags of everything that can have them. */
  tags?: Record<string, pulumi.Input<string>>;
}
