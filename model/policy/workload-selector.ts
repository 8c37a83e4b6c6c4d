import type { LabelSelector } from "../objects/networking.ts";
import { type Labels, selectorText, selects } from "./selector.ts";

/** Somebody with labels: a pod, a node's own interface, the members of a network set, or a node, of which ClusterNetworkPolicies speak. */
export interface Who {
  readonly kind: "pod" | "hostEndpoint" | "networkSet" | "node";
  readonly labels: Labels;
  /** Absent: it belongs to no namespace. */
  readonly namespace?: string;
  readonly namespaceLabels?: Labels;
  /** Of a pod. */
  readonly serviceAccount?: string;
  readonly serviceAccountLabels?: Labels;
}

/** Which of them a policy means. */
export interface WorkloadSelector {
  /** Unique per meaning; what rules refer to and what people read. */
  readonly text: string;
  /** A label that all of them have (labelText()), so that others need not be asked. */
  readonly firstLabel?: string;
  selects(who: Who): boolean;
}

/** The name of the label that stands for the namespace. */
const NAMESPACE = "projectcalico.org/namespace";

export function labelText(key: string, value: string): string {
  return `${key}=${value}`;
}

/** Everything that `firstLabel` of a selector of `who` may say. */
export function labelTexts({ labels, namespace }: Who): string[] {
  const texts = Object.entries(labels).map(([key, value]) => labelText(key, value));
  return namespace === undefined ? texts : [...texts, labelText(NAMESPACE, namespace)];
}

/** Pods of one namespace. */
export function podsIn(namespace: string, pods: LabelSelector): WorkloadSelector {
  const firstLabel = firstLabelOf(pods) ?? labelText(NAMESPACE, namespace);
  return {
    text: `pods ${selectorText(pods)} in namespace ${namespace}`,
    firstLabel,
    selects: (who) => who.kind === "pod" && who.namespace === namespace && selects(pods, who.labels),
  };
}

/** Pods of every namespace that `namespaces` selects. */
export function podsAcross(namespaces: LabelSelector, pods: LabelSelector): WorkloadSelector {
  const firstLabel = firstLabelOf(pods);
  return {
    text: `pods ${selectorText(pods)} in namespaces ${selectorText(namespaces)}`,
    ...(firstLabel !== undefined && { firstLabel }),
    selects: (who) => who.kind === "pod" && selects(namespaces, who.namespaceLabels ?? {}) && selects(pods, who.labels),
  };
}

const NODES = "nodes ";

/** @param text of a selector */
export function isOfNodes(text: string): boolean {
  return text.startsWith(NODES);
}

/** Nodes, by their addresses. */
export function nodesBy(nodes: LabelSelector): WorkloadSelector {
  const firstLabel = firstLabelOf(nodes);
  return {
    text: `${NODES}${selectorText(nodes)}`,
    ...(firstLabel !== undefined && { firstLabel }),
    selects: (who) => who.kind === "node" && selects(nodes, who.labels),
  };
}

function firstLabelOf({ matchLabels }: LabelSelector): string | undefined {
  const first = Object.entries(matchLabels ?? {})[0];
  return first && labelText(...first);
}
