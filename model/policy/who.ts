import type { Namespace, Pod } from "../objects/core.ts";
import type { Who } from "./workload-selector.ts";

/** A pod, as selectors see it. */
export function podAsSubject(pod: Pod, namespace: Namespace | undefined): Who {
  const name = pod.metadata.namespace ?? "default";
  return {
    kind: "pod",
    labels: pod.metadata.labels ?? {},
    namespace: name,
    // The API server sets this label on every namespace; objects from files may lack it.
    namespaceLabels: { "kubernetes.io/metadata.name": name, ...namespace?.metadata.labels },
  };
}
