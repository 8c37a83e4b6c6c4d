import { type Address, canonicalAddress } from "../address/address.ts";
import { Memo } from "../memo.ts";
import { hasEnded, type Pod } from "./core.ts";

/** A pod as it was passed to the creator of its interface. */
export interface PodName {
  readonly namespace: string;
  readonly pod: string;
  /** The pod's uid as the kubelet gave it; absent or empty when it gave none. */
  readonly uid?: string;
}

/** The addresses of a pod's interface. */
export interface PodAddresses {
  readonly address: Address;
  /** Of a pod with addresses of both families: its IPv6 address. */
  readonly secondAddress?: Address | undefined;
}

/** A pod with its addresses. */
export type PlacedPodName = PodName & PodAddresses;

/** One address, or one of each family. */
export function addressesOf({ address, secondAddress }: PodAddresses): readonly Address[] {
  return secondAddress === undefined ? [address] : [address, secondAddress];
}

/** The addresses that a pod has for itself. A finished pod's may be another's already; a host-network pod's are its node's. */
export function ownAddresses(pod: Pod): readonly Address[] {
  if (pod.spec.hostNetwork || hasEnded(pod)) return [];
  return read.get(pod, [], () => [...new Set(pod.status.podIPs.flatMap(({ ip }) => canonicalAddress(ip) ?? []))]);
}

/** Many ask, and IPv6 takes long to read. */
const read = new Memo<Pod, readonly Address[]>();

/** "Pod default/web-0" */
export function podOwner({ namespace, pod }: Pick<PodName, "namespace" | "pod">): string {
  return `Pod ${namespace}/${pod}`;
}

/** Whether the pod is the one that is meant, and not an older or newer one of that name. */
export function isPodOf(pod: Pod, { namespace, pod: name, uid }: PodName): boolean {
  if (pod.metadata.name !== name || (pod.metadata.namespace ?? "default") !== namespace) return false;
  const known = [pod.metadata.uid, pod.metadata.annotations?.["kubernetes.io/config.hash"]];
  return !uid || !pod.metadata.uid || known.includes(uid);
}
