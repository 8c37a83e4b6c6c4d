import type { LabelLookup } from "../calico-selector/expression.ts";
import type { Who } from "./workload-selector.ts";

// Labels that Calico's selectors find although no object has them: the labels of the namespace and the service account under a prefix, and
// the names of both.

export const NAMESPACE_LABEL = "projectcalico.org/namespace";
export const SERVICE_ACCOUNT_LABEL = "projectcalico.org/serviceaccount";
const ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator";
/** Of the namespace or the service account: its name. */
const NAME_LABEL = "projectcalico.org/name";
export const OF_NAMESPACE = "pcns.";
export const OF_SERVICE_ACCOUNT = "pcsa.";

/** The labels of a pod, a host endpoint or a network set as Calico's selectors see them. What is in a namespace has no implied label of its own writing: otherwise whoever
 * writes pods there could give them the labels that another namespace or service account has, and its does not. */
export function calicoLabels(who: Who): LabelLookup {
  return (label) => {
    const found = implied(who, label);
    if (found !== undefined) return found;
    if (who.namespace !== undefined && isImplied(label)) return undefined;
    return Object.hasOwn(who.labels, label) ? who.labels[label] : undefined;
  };
}

function implied(who: Who, label: string): string | undefined {
  const { namespace, namespaceLabels, serviceAccount, serviceAccountLabels } = who;
  if (label.startsWith(OF_NAMESPACE)) return labelOrName(label.slice(OF_NAMESPACE.length), namespace, namespaceLabels);
  if (label.startsWith(OF_SERVICE_ACCOUNT)) {
    // Those of an account that does not exist are unknown, its name too.
    const name = serviceAccountLabels && serviceAccount;
    return labelOrName(label.slice(OF_SERVICE_ACCOUNT.length), name, serviceAccountLabels);
  }
  if (label === NAMESPACE_LABEL) return namespace;
  if (who.kind !== "pod") return undefined;
  if (label === ORCHESTRATOR_LABEL) return "k8s";
  return label === SERVICE_ACCOUNT_LABEL ? serviceAccount : undefined;
}

function labelOrName(label: string, name: string | undefined, labels: Who["labels"] = {}): string | undefined {
  if (label === NAME_LABEL) return name;
  return Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/** Whether selectors find it on what is in a namespace without anybody writing it there. */
export function isImplied(label: string): boolean {
  const isOfOwner = label.startsWith(OF_NAMESPACE) || label.startsWith(OF_SERVICE_ACCOUNT);
  return isOfOwner || label === ORCHESTRATOR_LABEL || label === SERVICE_ACCOUNT_LABEL || label === NAMESPACE_LABEL;
}

/** Whether `label` is looked up in the object's own labels. */
export function isOwnLabel(label: string): boolean {
  return label === NAMESPACE_LABEL || !isImplied(label);
}
