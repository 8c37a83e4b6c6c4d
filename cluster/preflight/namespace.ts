import { AGENT_LABELS } from "../../components/dataplane/names.ts";
import type { PreflightPlan } from "../../components/documents/preflight.ts";
import type { ClusterFacts } from "./facts.ts";
import { type Finding, refused, warning } from "./finding.ts";

const CHECK = "namespace";
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** The agents' namespace: whose it is, and whether it admits them. */
export function examineNamespace({ namespace: found, isDeployed }: ClusterFacts, plan: PreflightPlan): Finding[] {
  const { namespace, createNamespace } = plan;
  const labels = found?.metadata?.labels ?? {};
  if (createNamespace) {
    const ours = Object.entries(AGENT_LABELS).every(([key, value]) => labels[key] === value);
    if (!found || (ours && isDeployed)) return [];
    if (ours) return [unexpected(namespace)];
    const next = "set createNamespace of Dataplane to false, or choose another namespace";
    return [refused(CHECK, `${namespace} exists and is not this package's: it would be deleted with the stack`, next)];
  }
  if (!found) return [refused(CHECK, `there is no ${namespace}`, "create it, or set createNamespace of Dataplane")];
  const level = labels[ENFORCE];
  if (level === undefined || level === "privileged") return [];
  return [
    refused(
      CHECK,
      `${namespace} admits no agents: its label ${ENFORCE} is ${level}`,
      `kubectl label --overwrite namespace ${namespace} ${ENFORCE}=privileged`,
    ),
  ];
}

/** Whether the namespace comes from an `up` that failed, or was created by somebody in advance: a user who may create pods in it has the
 * rights of the agents. */
const unexpected = (namespace: string): Finding =>
  warning(
    CHECK,
    `${namespace} exists with the label of agents, although no agents are deployed: whoever has rights in it gets those of the agents`,
    `kubectl get rolebindings -n ${namespace}; delete the namespace unless it is of an earlier run`,
  );
