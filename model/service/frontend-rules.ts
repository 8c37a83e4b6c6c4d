import { canonicalAddress, covers, familyOf, hostCidr, isLoopback, parseCidr, useOf } from "../address/address.ts";
import { serviceSubnetsOf } from "../node/facts.ts";
import type { NodeDirectory } from "../node/nodes.ts";
import type { IpPool } from "../objects/calico.ts";
import type { Service } from "../objects/core.ts";
import type { EndpointSlice } from "../objects/discovery.ts";
import { serviceNameLabel } from "../objects/discovery.ts";
import type { Judged } from "../pool/claims.ts";
import { isForLoadBalancers } from "../pool/uses.ts";
import { SCTP, TCP, UDP } from "../protocol.ts";
import { hasOwnBalancer } from "./balancer/class.ts";
import type { ExternalIpPolicy } from "./external-ips.ts";
import type { Frontend } from "./frontend.ts";
import { isNodeLoopback, NODE_LOOPBACK } from "./frontend.ts";

/** The origin of a frontend's address. Earlier ones in the list take precedence, regardless of age. */
export const claims = ["cluster IP", "node port", "health check", "external IP", "load balancer", "host port"] as const;
export type Claim = (typeof claims)[number];

/** The addresses and ports that no object may claim. */
export interface FrontendRules {
  /** Why this claim is not served; undefined: nothing speaks against it. */
  refusal(claim: Claim, key: Frontend, service?: Service): string | undefined;
}

// On the nodes' own addresses: SSH, BGP, etcd, API server, the agent (metrics, health), kubelet, kube-proxy, controllers.
const NODE_TCP_PORTS = [22, 179, 2379, 2380, 2381, 6443, 9098, 9099, ...range(10_248, 10_259)];
const NODE_PORTS: Readonly<Record<number, readonly number[]>> = {
  [TCP]: NODE_TCP_PORTS,
  [UDP]: [4789], // VXLAN
  [SCTP]: [],
};

/** What everybody's claims are judged by. `slices` are those of the Service default/kubernetes. */
export function frontendRules(
  pools: Judged<IpPool>,
  slices: readonly EndpointSlice[],
  externalIps: ExternalIpPolicy,
  nodes: NodeDirectory,
): FrontendRules {
  const apiServers = apiServerPlaces(slices, nodes);
  const services = serviceSubnetsOf(nodes.facts).map(parseCidr);
  const ofNode = ({ address, port, protocol }: Frontend): string | undefined => {
    if (protocol === TCP && apiServers.has(`${address} ${port}`)) return `${address}:${port} is the API server's`;
    const node = nodes.nodeOf(address) ?? (isNodeLoopback(address) ? nodes.facts.nodeName : undefined);
    return node && NODE_PORTS[protocol]?.includes(port) ? `port ${port} of node ${node} is the node's own` : undefined;
  };
  const given = nodes.facts.loadBalancer === true;
  const ofPool = (claim: Claim, key: Frontend, service: Service | undefined): string | undefined => {
    const pool = pools.accepted.find((item) => covers(item.cidr, hostCidr(key.address)))?.object;
    const own = given && claim === "load balancer" && service !== undefined && hasOwnBalancer(service);
    if (pool && !isForLoadBalancers(pool)) return `${key.address} is a pod's, of IPPool ${pool.metadata.name}`;
    if (pool && !own) return `${key.address} is in IPPool ${pool.metadata.name}, whose addresses the agents assign`;
    // Agents write statuses: the address must be one that an administrator gave them.
    return own && !pool ? `${key.address} is in no IPPool with allowedUses: [LoadBalancer]` : undefined;
  };
  const ofAddress = (claim: Claim, key: Frontend, service: Service | undefined): string | undefined => {
    const cidr = hostCidr(key.address);
    const kind = useOf(key.address);
    if (["unspecified", "loopback", "multicast", "broadcast", "linkLocal", "ipv4Compatible"].includes(kind))
      return `${key.address} is no address that a Service can have`;
    const network = services.find((item) => covers(item, cidr));
    if (network) return `${key.address} is in the network of cluster IPs, ${network.text}`;
    const reason = ofPool(claim, key, service);
    if (reason) return reason;
    return claim === "external IP" ? externalIps.refusal(cidr) : undefined;
  };
  return {
    refusal(claim, key, service) {
      if (claim === "cluster IP" || claim === "node port") return undefined;
      if (claim === "health check") return ofEveryNode(key);
      return claim === "host port" ? ofNode(key) : (ofAddress(claim, key, service) ?? ofNode(key));
    },
  };
}

function ofEveryNode({ port }: Frontend): string | undefined {
  return NODE_TCP_PORTS.includes(port) ? `port ${port} is each node's own` : undefined;
}

// "172.31.1.8 6443"
function apiServerPlaces(slices: readonly EndpointSlice[], { facts }: NodeDirectory): ReadonlySet<string> {
  const places = slices.flatMap(({ endpoints, ports }) =>
    endpoints.flatMap(({ addresses }) =>
      ports.flatMap(({ port }) => addresses.map((address) => `${canonicalAddress(address)} ${port}`)),
    ),
  );
  const { address = "", port } = facts.apiServer ?? {};
  return new Set([...places, `${isLoopback(address) ? NODE_LOOPBACK[familyOf(address) ?? "IPv4"] : address} ${port}`]);
}

/** Whether the slice says where the API server is. */
export function isOfApiServer({ metadata }: EndpointSlice): boolean {
  return metadata.namespace === "default" && metadata.labels?.[serviceNameLabel] === "kubernetes";
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
