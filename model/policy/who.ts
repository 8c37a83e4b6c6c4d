import type { Namespace, Pod } from "../objects/core.ts";
import type { KubernetesObject } from "../objects/metadata.ts";
import type { Labels } from "./selector.ts";
import type { Who } from "./workload-selector.ts";

/** A pod, as selectors see it. @param account its service account, where that is known */
export function podAsSubject(pod: Pod, namespace: Namespace | undefined, account?: KubernetesObject): Who {
  const name = pod.metadata.namespace ?? "default";
  const { serviceAccountName } = pod.spec;
  return {
    kind: "pod",
    labels: pod.metadata.labels ?? {},
    namespace: name,
    namespaceLabels: namespaceLabels(name, namespace),
    ...(serviceAccountName && { serviceAccount: serviceAccountName }),
    ...(account && { serviceAccountLabels: account.metadata.labels ?? {} }),
  };
}

/** The API server gives every namespace this label with its name; objects from files may lack it. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export function namespaceLabels(name: string, namespace: Namespace | undefined): Labels {
  return { ...namespace?.metadata.labels, [NAMESPACE_NAME]: name };
}
