// What the networks of a cluster with both address families must be together.
import { networksOverlap } from "./addresses.ts";
import type { ListFault } from "./machines.ts";

/** The IPv6 networks of a cluster; both absent: it has IPv4 only. */
export interface NetworksIpv6 {
  podSubnetIpv6?: string | undefined;
  serviceSubnetIpv6?: string | undefined;
}

/** Why a cluster cannot have these IPv6 networks: kubeadm takes two families for both, or one. */
export function dualStackFault({ podSubnetIpv6, serviceSubnetIpv6 }: NetworksIpv6): ListFault | undefined {
  if (podSubnetIpv6 === undefined && serviceSubnetIpv6 === undefined) return undefined;
  if (podSubnetIpv6 === undefined)
    return { path: ["podSubnetIpv6"], allowed: "given beside serviceSubnetIpv6, like fd00:10:244::/56" };
  if (serviceSubnetIpv6 === undefined)
    return { path: ["serviceSubnetIpv6"], allowed: "given beside podSubnetIpv6, like fd00:10:96::/112" };
  if (!networksOverlap(podSubnetIpv6, serviceSubnetIpv6)) return undefined;
  return { path: ["podSubnetIpv6"], allowed: `apart from serviceSubnetIpv6 ${serviceSubnetIpv6}` };
}
