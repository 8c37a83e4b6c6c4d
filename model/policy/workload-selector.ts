import type { Expression } from "../calico-selector/expression.ts";
import type { LabelSelector } from "../objects/networking.ts";
import { NAMESPACE_LABEL } from "./calico-labels.ts";
import { type Labels, selectorText, selects } from "./selector.ts";
import { NAMESPACE_NAME } from "./who.ts";

/** An owner of labels: a pod, a node's own interface, the members of a network set, or a node (for ClusterNetworkPolicies). */
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

/** Which of them a policy selects. */
export interface WorkloadSelector {
  /** Unique per meaning; what rules refer to and what people read. */
  readonly text: string;
  /** Key and value of a label that all of them have, so that others need not be asked. */
  readonly firstLabel?: readonly [string, string];
  /** What it asks of labels as Calico's selectors find them (calico-labels.ts). Absent: it selects no host endpoint. */
  readonly expression?: Expression;
  selects(who: Who): boolean;
}

/** Pods of one namespace. */
export function podsIn(namespace: string, pods: LabelSelector): WorkloadSelector {
  const firstLabel = firstLabelOf(pods) ?? ([NAMESPACE_LABEL, namespace] as const);
  return {
    text: `pods ${selectorText(pods)} in namespace ${namespace}`,
    firstLabel,
    selects: (who) => who.kind === "pod" && who.namespace === namespace && selects(pods, who.labels),
  };
}

/** Pods of every namespace that `namespaces` selects. */
export function podsAcross(namespaces: LabelSelector, pods: LabelSelector): WorkloadSelector {
  const firstLabel = firstLabelOf(pods) ?? namespaceOf(namespaces);
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

/** The usual way to name one namespace: the API server gives each this label, and lets nobody change it. */
function namespaceOf({ matchLabels }: LabelSelector): readonly [string, string] | undefined {
  const name = matchLabels?.[NAMESPACE_NAME];
  return name === undefined ? undefined : [NAMESPACE_LABEL, name];
}

function firstLabelOf({ matchLabels }: LabelSelector): [string, string] | undefined {
  return Object.entries(matchLabels ?? {})[0];
}
