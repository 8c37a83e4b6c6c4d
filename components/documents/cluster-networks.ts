import type * as pulumi from "@pulumi/pulumi";
import { type ClusterNetworks, familiesOf, type SaidFamilies } from "../rules/families.ts";
import { POD_NETWORK, POD_NETWORK_IPV6, SERVICE_NETWORK, SERVICE_NETWORK_IPV6 } from "./defaults.ts";

/** The given networks, and the usual ones of families that lack theirs. */
export function clusterNetworks<Network extends pulumi.Input<string>>(
  args: SaidFamilies & ClusterNetworks<Network>,
): ClusterNetworks<Network | string> {
  const { podSubnet, serviceSubnet, podSubnetIpv6, serviceSubnetIpv6, ipFamilies } = args;
  const usual = {
    ...(familiesOf(args).includes("IPv4") && { podSubnet: POD_NETWORK, serviceSubnet: SERVICE_NETWORK }),
    ...(ipFamilies?.includes("IPv6") && {
      podSubnetIpv6: POD_NETWORK_IPV6,
      serviceSubnetIpv6: SERVICE_NETWORK_IPV6,
    }),
  };
  return {
    ...usual,
    ...(podSubnet !== undefined && { podSubnet }),
    ...(serviceSubnet !== undefined && { serviceSubnet }),
    ...(podSubnetIpv6 !== undefined && { podSubnetIpv6 }),
    ...(serviceSubnetIpv6 !== undefined && { serviceSubnetIpv6 }),
  };
}
