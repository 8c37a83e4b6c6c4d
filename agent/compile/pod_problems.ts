import type { Pod } from "../api/core.ts";
import type { Problem } from "./desired.ts";

const BANDWIDTH = ["kubernetes.io/ingress-bandwidth", "kubernetes.io/egress-bandwidth"] as const;

/** What pods of this node ask of their network and do not get. Each node tells of its own. */
export function podProblems(pods: readonly Pod[], nodeName: string): Problem[] {
  return pods.filter(({ spec }) => spec.nodeName === nodeName && !spec.hostNetwork).flatMap(problemsOf);
}

function problemsOf({ metadata }: Pod): Problem[] {
  const about = (path: string, message: string): Problem => ({
    kind: "Pod",
    namespace: metadata.namespace ?? undefined,
    name: metadata.name,
    path,
    message,
  });
  return BANDWIDTH.filter((name) => metadata.annotations?.[name]).map((name) =>
    about(`metadata.annotations[${name}]`, "not supported yet: the pod's traffic is not limited."),
  );
}
