import { canonicalAddress } from "../model/address/address.ts";
import type { Node } from "../model/objects/core.ts";

/** This node's address for other nodes: the configured one, or the first IPv4 InternalIP of its Node object. */
export function nodeAddress(nodes: readonly Node[], name: string, given: string | undefined): string {
  if (given) return given;
  const node = nodes.find(({ metadata }) => metadata.name === name);
  if (!node) throw new Error(`There is no Node object ${name}. Next: is --node (NODE_NAME) this machine's node name?`);
  const internal = node.status.addresses.find(({ type, address }) => type === "InternalIP" && !address.includes(":"));
  if (internal) return internal.address;
  throw new Error(`Node ${name} has no IPv4 InternalIP in status.addresses. Next: start kubelet with --node-ip.`);
}

/** The API server's address in the pod's environment; undefined if there is none, or only a name. */
export function apiServerAddress(environment: NodeJS.ProcessEnv): { address: string; port: number } | undefined {
  const address = canonicalAddress(environment.KUBERNETES_SERVICE_HOST ?? "");
  return address ? { address, port: Number(environment.KUBERNETES_SERVICE_PORT ?? 443) } : undefined;
}
