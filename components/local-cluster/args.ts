import type * as pulumi from "@pulumi/pulumi";
import type { AddressFamily } from "../machine/address-family.ts";
import type { LocalSubnet, Machine } from "../machine/machine.ts";

/** Arguments of `LocalCluster`. */
export interface LocalClusterArgs {
  /**
   * Name of the lab: at most 12 lower case letters and digits, beginning with a letter. Labs of different names run side
   * by side on one computer. Defaults to "local".
   */
  name?: string;
  /**
   * Release of Kubernetes, one of those that were built on this computer. A later one upgrades the running nodes, drained one by one, as in
   * `AwsCluster`. Defaults to "v1.35.0".
   */
  kubernetesVersion?: string;
  /**
   * Whether the nodes are given kube-proxy's image, which `Dataplane.serviceHandling` may need. A change does not replace the
   * cluster. Defaults to false.
   */
  loadKubeProxyImage?: boolean;
  /**
   * Families of the addresses of nodes, pods and Services: one, or both in a dual-stack cluster. The first one is the family of Services that
   * ask for none, and the API server answers at it. With `[Ipv6]` the machines have IPv6 addresses only. Defaults to `[Ipv4]`, and to
   * `[Ipv4, Ipv6]` with IPv6 networks.
   */
  ipFamilies?: AddressFamily[];
  /** IPv4 network the pods' addresses come from. Defaults to "10.244.0.0/16". */
  podSubnet?: pulumi.Input<string>;
  /** IPv4 network the Services' addresses come from; apart from `podSubnet`. Defaults to "10.96.0.0/12". */
  serviceSubnet?: pulumi.Input<string>;
  /** IPv6 network the pods' addresses come from, from /48 to /64. Defaults to "fd00:10:244::/56" if `ipFamilies` has IPv6, else to none. */
  podSubnetIpv6?: pulumi.Input<string>;
  /** IPv6 network the Services' addresses come from, from /108 to /120. Defaults to "fd00:10:96::/112" if `ipFamilies` has IPv6, else to none. */
  serviceSubnetIpv6?: pulumi.Input<string>;
  /**
   * Nodes and clients. Defaults to the control plane "master" (172.31.1.8), the worker "node" (172.31.1.207), and the clients
   * "client1" (172.31.1.55) and "client2" (172.31.1.162); with IPv6 alone they have the IPv6 addresses that end likewise.
   */
  machines?: Machine[];
  /**
   * Subnets, with one machine of the role `Router` between them where there are several. Another list makes another cluster. Defaults to
   * one, 172.31.1.0/24 and fd00:172:31:1::/64, whose gateway is a switch.
   */
  subnets?: LocalSubnet[];
}
