// Which address families a cluster has, and which networks go with them.
import { FAMILIES, type Family } from "../../model/address/address.ts";
import { POD_NETWORK, POD_NETWORK_IPV6, SERVICE_NETWORK, SERVICE_NETWORK_IPV6 } from "../documents/defaults.ts";
import type { ListFault } from "./machines.ts";

/** The networks of a cluster. */
export interface ClusterNetworks<Network = string> {
  podSubnet?: Network | undefined;
  serviceSubnet?: Network | undefined;
  podSubnetIpv6?: Network | undefined;
  serviceSubnetIpv6?: Network | undefined;
}

/** The families that a cluster says to have, the first one first. */
export interface SaidFamilies {
  ipFamilies?: readonly `${Family}`[] | undefined;
}

/** Networks of each family that a cluster needs, and the usual ones. */
const NETWORKS = {
  IPv4: { podSubnet: POD_NETWORK, serviceSubnet: SERVICE_NETWORK },
  IPv6: { podSubnetIpv6: POD_NETWORK_IPV6, serviceSubnetIpv6: SERVICE_NETWORK_IPV6 },
} as const;

/** The first one of these families is what a cluster's nodes and Services have first. Left unsaid: IPv4, and IPv6 where there are networks of it. */
export function familiesOf(cluster: SaidFamilies & ClusterNetworks<unknown>): readonly Family[] {
  if (cluster.ipFamilies !== undefined) return cluster.ipFamilies;
  return cluster.podSubnetIpv6 === undefined && cluster.serviceSubnetIpv6 === undefined ? ["IPv4"] : FAMILIES;
}

/** Whether machines, pods and Services have IPv6 addresses only. */
export function isIpv6Alone({ ipFamilies }: SaidFamilies): boolean {
  return ipFamilies !== undefined && !ipFamilies.includes("IPv4");
}

/** Why a cluster cannot have these families: each is said once, and only their networks are given. */
function saidFamiliesFault(cluster: SaidFamilies & ClusterNetworks<unknown>): ListFault | undefined {
  const { ipFamilies } = cluster;
  if (ipFamilies === undefined) return undefined;
  if (ipFamilies.length === 0 || new Set(ipFamilies).size < ipFamilies.length)
    return { path: ["ipFamilies"], allowed: '"IPv4", "IPv6" or both, each once, in a list' };
  const others = FAMILIES.filter((family) => !ipFamilies.includes(family));
  const given = others.flatMap(networksOf).find((field) => cluster[field] !== undefined);
  return given && { path: [given], allowed: `left out, because ipFamilies is ${JSON.stringify(ipFamilies)}` };
}

/** Why a cluster cannot have these networks: pods and Services have the same families. */
export function networksFault(cluster: SaidFamilies & ClusterNetworks<unknown>): ListFault | undefined {
  const said = saidFamiliesFault(cluster);
  if (said !== undefined) return said;
  for (const family of familiesOf(cluster)) {
    const missing = networksOf(family).find((field) => cluster[field] === undefined);
    const beside = networksOf(family).find((field) => cluster[field] !== undefined);
    const like = Object.entries(NETWORKS[family]).find(([field]) => field === missing)?.[1];
    if (missing !== undefined)
      return { path: [missing], allowed: `given${beside === undefined ? "" : ` beside ${beside}`}, like ${like}` };
  }
  return undefined;
}

const networksOf = (family: Family) => Object.keys(NETWORKS[family]) as (keyof ClusterNetworks)[];
