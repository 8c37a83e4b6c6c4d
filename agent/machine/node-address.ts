import { type Address, canonicalAddress, familyOf } from "../../model/address/address.ts";
import type { Node } from "../../model/objects/core.ts";

/** The addresses of this node for other nodes. */
export interface NodeAddresses {
  /** Tunnels use it. IPv6 only where the node has no IPv4 address. */
  readonly underlay: Address;
  /** Undefined: the node has no IPv6 address, so its pods have none either. */
  readonly ipv6: Address | undefined;
}

/** The configured address, or the Node object's first InternalIP, of IPv4 if it has one; and its first IPv6 InternalIP. */
export function nodeAddresses(nodes: readonly Node[], name: string, given: string | undefined): NodeAddresses {
  const node = nodes.find(({ metadata }) => metadata.name === name);
  const internal = (node?.status.addresses ?? []).flatMap(({ type, address }) =>
    type === "InternalIP" ? (canonicalAddress(address) ?? []) : [],
  );
  const ipv6 = internal.find((address) => familyOf(address) === "IPv6");
  if (given) return { underlay: given, ipv6: familyOf(given) === "IPv6" ? given : ipv6 };
  if (!node) throw new Error(`There is no Node object ${name}. Next: is --node (NODE_NAME) this machine's node name?`);
  const underlay = internal.find((address) => familyOf(address) === "IPv4") ?? ipv6;
  if (underlay) return { underlay, ipv6 };
  throw new Error(
    `Node ${name} has no InternalIP in status.addresses. Next: does its kubelet run, and with the right --node-ip?`,
  );
}

/** The API server's address in the pod's environment; undefined if there is none, or only a name. */
export function apiServerAddress(environment: NodeJS.ProcessEnv): { address: string; port: number } | undefined {
  const address = canonicalAddress(environment.KUBERNETES_SERVICE_HOST ?? "");
  return address ? { address, port: Number(environment.KUBERNETES_SERVICE_PORT ?? 443) } : undefined;
}
