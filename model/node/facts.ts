import type { Address } from "../address/address.ts";

/** Facts that no API object contains: what a machine finds out about itself. */
export interface NodeFacts {
  readonly nodeName: string;
  /** This node's address towards the other nodes: tunnels use it. IPv6 only where it has no IPv4 address. */
  readonly address: Address;
  /** Its IPv6 address, perhaps the same; absent: it has none, so its pods have none either. */
  readonly addressIpv6?: Address | undefined;
  /** The subnets of this node's uplinks ("172.31.1.0/24"): with CrossSubnet, other nodes in them need no tunnel. */
  readonly subnets: readonly string[];
  /** All further addresses of this machine, for example its tunnel device's. */
  readonly localAddresses: readonly Address[];
  /** The network that Services' addresses come from. */
  readonly serviceSubnet: string;
  /** The same for IPv6 addresses, in a dual-stack cluster. */
  readonly serviceSubnetIpv6?: string | undefined;
  /** Whether agents assign load balancer addresses (settings.json). */
  readonly loadBalancer?: boolean;
  /** Where the API server is reached; undefined without one, or while only a name of it is known. */
  readonly apiServer?: { readonly address: Address; readonly port: number } | undefined;
}

/** The networks of Services' addresses. */
export function serviceSubnetsOf({ serviceSubnet, serviceSubnetIpv6 }: NodeFacts): readonly string[] {
  return serviceSubnetIpv6 === undefined ? [serviceSubnet] : [serviceSubnet, serviceSubnetIpv6];
}
