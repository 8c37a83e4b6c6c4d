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
    namespaceLabels: namespaceLabels(name, namespace?.metadata.labels),
    ...(serviceAccountName && { serviceAccount: serviceAccountName }),
    ...(account && { serviceAccountLabels: account.metadata.labels ?? {} }),
  };
}

/** The API server gives every namespace this label with its name, whatever was written; objects from files may lack it. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** @param labels as they are written */
export function namespaceLabels(name: string, labels: Labels | null | undefined): Labels {
  return { ...labels, [NAMESPACE_NAME]: name };
}
