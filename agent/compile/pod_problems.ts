import type { Pod } from "../api/core.ts";
import type { Problem } from "./desired.ts";

const BANDWIDTH = ["kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"] as const;

/** What pods of this node ask of their network and do not get. Each node tells of its own. */
export function podProblems(pods: readonly Pod[], nodeName: string): Problem[] {
  return pods.filter(({ spec }) => spec.nodeName === nodeName && !spec.hostNetwork).flatMap(problemsOf);
}

function problemsOf({ metadata, spec }: Pod): Problem[] {
  const about = (path: string, message: string): Problem => ({
    kind: "Pod",
    namespace: metadata.namespace ?? undefined,
    name: metadata.name,
    path,
    message,
  });
  const ports = (["initContainers", "containers"] as const).flatMap((list) =>
    spec[list].flatMap((container, at) =>
      container.ports.flatMap(({ hostPort }, index) =>
        hostPort
          ? about(
              `spec.${list}[${at}].ports[${index}].hostPort`,
              `not supported yet: nothing answers for this pod at port ${hostPort} of its node. Next: use a Service of type NodePort, or hostNetwork.`,
            )
          : [],
      ),
    ),
  );
  const limits = BANDWIDTH.filter((name) => metadata.annotations?.[name]).map((name) =>
    about(`metadata.annotations[${name}]`, "not supported yet: the pod's traffic is not limited."),
  );
  return [...ports, ...limits];
}
