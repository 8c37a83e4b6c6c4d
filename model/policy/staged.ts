import type {
  StagedGlobalNetworkPolicy,
  StagedKubernetesNetworkPolicy,
  StagedNetworkPolicy,
} from "../objects/calico-policy/staged.ts";
import type { KubernetesObject } from "../objects/metadata.ts";
import { objectName } from "../objects/metadata.ts";
import { subjectSelector } from "./calico-endpoints.ts";
import type { PolicyObjects } from "./policy-objects.ts";
import type { Subject } from "./subject.ts";

/** Policies that are staged: they change no verdict, but show what would. */
export interface StagedObjects {
  readonly stagedNetworkPolicies: readonly StagedNetworkPolicy[];
  readonly stagedGlobalNetworkPolicies: readonly StagedGlobalNetworkPolicy[];
  readonly stagedKubernetesNetworkPolicies: readonly StagedKubernetesNetworkPolicy[];
}

type StagedAction = "Set" | "Delete" | "Learn" | "Ignore";

/** The policies as they would be if the staged ones were enforced: each is set in place of the one with its kind and name, or deletes
 * it. Undefined: nothing is staged. */
export function asStaged<Objects extends PolicyObjects>(objects: Objects, staged: StagedObjects): Objects | undefined {
  const { networkPolicies, calicoNetworkPolicies = [], globalNetworkPolicies = [] } = objects;
  const kubernetes = staged.stagedKubernetesNetworkPolicies.filter(counts);
  const namespaced = staged.stagedNetworkPolicies.filter(counts);
  const everywhere = staged.stagedGlobalNetworkPolicies.filter(counts);
  if (kubernetes.length + namespaced.length + everywhere.length === 0) return undefined;
  return {
    ...objects,
    networkPolicies: replaced(networkPolicies, kubernetes),
    calicoNetworkPolicies: replaced(calicoNetworkPolicies, namespaced),
    globalNetworkPolicies: replaced(globalNetworkPolicies, everywhere),
  };
}

/** Whether one of them would apply to one of these. */
export function isSelectedBy(
  staged: StagedObjects["stagedGlobalNetworkPolicies"],
  subjects: Iterable<Pick<Subject, "who">>,
): boolean {
  if (staged.length === 0) return false;
  const selectors = staged
    .filter((policy) => counts(policy) && policy.spec.stagedAction === "Set")
    .map(({ spec }) => subjectSelector(spec, undefined));
  return [...subjects].some(({ who }) => selectors.some((selector) => selector.selects(who)));
}

interface Staged extends KubernetesObject {
  readonly spec: { readonly stagedAction: StagedAction };
}

// The objects of Learn and Ignore are not enforced later either (projectcalico.org/v3, StagedAction).
function counts({ spec: { stagedAction } }: Staged): boolean {
  return stagedAction === "Set" || stagedAction === "Delete";
}

function replaced<Policy extends KubernetesObject>(
  policies: readonly Policy[],
  staged: readonly (Policy & Staged)[],
): Policy[] {
  const names = new Set(staged.map(nameOf));
  return [
    ...policies.filter((policy) => !names.has(nameOf(policy))),
    ...staged.filter(({ spec }) => spec.stagedAction === "Set"),
  ];
}

function nameOf(object: KubernetesObject): string {
  return objectName(object);
}
