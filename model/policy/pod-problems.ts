import { firstFew } from "../first-few.ts";
import { hasEnded, type Namespace, type Pod } from "../objects/core.ts";
import { ignoredAnnotations, unknownAnnotations } from "../objects/ignored.ts";
import type { NetworkPolicy } from "../objects/networking.ts";
import { WEIGHT } from "../objects/weight.ts";
import type { Problem } from "../problem.ts";
import { selects } from "./selector.ts";

/** Requests of this node's pods about their network, or of others about these pods, that are not fulfilled. Each node reports its own. */
export function podProblems(pods: readonly Pod[], policies: readonly NetworkPolicy[], nodeName: string): Problem[] {
  const here = pods.filter((pod) => pod.spec.nodeName === nodeName && !hasEnded(pod));
  const byNamespace = Map.groupBy(policies, ({ metadata }) => metadata.namespace ?? "default");
  return here.flatMap((pod) =>
    pod.spec.hostNetwork
      ? [
          ...unheld(pod, byNamespace.get(pod.metadata.namespace ?? "default") ?? []),
          ...unweighed(pod),
          ...unknownAnnotations("Pod", pod.metadata),
        ]
      : ignoredAnnotations("Pod", pod.metadata),
  );
}

/** Services know their endpoints by address. */
function unweighed({ metadata: { name, namespace, annotations } }: Pod): Problem[] {
  if (annotations?.[WEIGHT] === undefined) return [];
  const message = "without effect: the pod has its node's address, which other pods may have too.";
  return [{ kind: "Pod", namespace: namespace ?? undefined, name, path: `metadata.annotations[${WEIGHT}]`, message }];
}

/** Requests of namespaces for their pods. */
export function namespaceProblems(namespaces: readonly Namespace[]): Problem[] {
  return namespaces.flatMap(({ metadata }) => ignoredAnnotations("Namespace", metadata));
}

/** A pod in its node's network has no address of its own, so no policy applies to its traffic. */
function unheld({ metadata }: Pod, policies: readonly NetworkPolicy[]): Problem[] {
  const selecting = policies.filter(
    ({ spec }) => !spec.podSelector || selects(spec.podSelector, metadata.labels ?? {}),
  );
  if (selecting.length === 0) return [];
  const names = selecting.map((policy) => policy.metadata.name).sort();
  const message = `the pod is on its node's network: NetworkPolicy ${firstFew(names)} does not hold for it.`;
  const { name, namespace } = metadata;
  return [{ kind: "Pod", namespace: namespace ?? undefined, name, path: "spec.hostNetwork", message }];
}
