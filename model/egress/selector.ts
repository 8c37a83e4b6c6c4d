import { type LabelLookup, lookupIn } from "../calico-selector/expression.ts";
import { fitting } from "../calico-selector/fitting.ts";
import type { EgressGateway } from "../objects/egress-gateway.ts";
import { calicoLabels } from "../policy/calico-labels.ts";
import type { Who } from "../policy/workload-selector.ts";

/** The labels of a pod and of its namespace, as an EgressGateway's selectors see them. */
export interface PodLabels {
  readonly own: LabelLookup;
  readonly ofNamespace: LabelLookup;
}

export function podLabels(pod: Who): PodLabels {
  const { namespace = "default", namespaceLabels } = pod;
  // A user who may label a namespace does not choose its name.
  const ofNamespace = { ...namespaceLabels, "projectcalico.org/name": namespace };
  return { own: calicoLabels(pod), ofNamespace: lookupIn(ofNamespace) };
}

/** Whether the gateway selects a pod; its selectors are read once. */
export function podsOf({ spec }: EgressGateway): (labels: PodLabels) => boolean {
  const [namespaces, pods] = [fitting(spec.namespaceSelector), fitting(spec.podSelector)];
  return ({ own, ofNamespace }) => namespaces(ofNamespace) && pods(own);
}
