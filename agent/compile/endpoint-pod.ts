import type { Pod } from "../../model/objects/core.ts";
import type { LocalEndpoint } from "./snapshot.ts";

/** Whether the pod is the one the endpoint was made for, and not an older or newer one of that name. */
export function isPodOf(pod: Pod, { namespace, pod: name, uid }: LocalEndpoint): boolean {
  if (pod.metadata.name !== name || (pod.metadata.namespace ?? "default") !== namespace) return false;
  const known = [pod.metadata.uid, pod.metadata.annotations?.["kubernetes.io/config.hash"]];
  return !uid || !pod.metadata.uid || known.includes(uid);
}
