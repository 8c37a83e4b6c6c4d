import type { LabelSelector, NetworkPolicyPeer } from "../model/objects/networking.ts";
import type { SuggestedPolicy, SuggestedRule } from "./suggest.ts";

/** A spec as people write it: without what is empty or the default. */
export function specOf({ podSelector, ingress, egress }: SuggestedPolicy) {
  return {
    podSelector: selector(podSelector),
    policyTypes: ["Ingress", "Egress"],
    ingress: ingress.map((rule) => ruleOf(rule, "from")),
    egress: egress.map((rule) => ruleOf(rule, "to")),
  };
}

/** The object for the API server. */
export function objectOf(policy: SuggestedPolicy) {
  const { name, namespace } = policy;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec: specOf(policy),
  };
}

function ruleOf({ peers, ports }: SuggestedRule, side: "from" | "to") {
  return { [side]: peers.map(peerOf), ports: ports.map((port) => ({ ...port })) };
}

function peerOf({ ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer) {
  if (ipBlock) return { ipBlock: { cidr: ipBlock.cidr, ...(ipBlock.except.length > 0 && { except: ipBlock.except }) } };
  return {
    ...(namespaceSelector && { namespaceSelector: selector(namespaceSelector) }),
    ...(podSelector && { podSelector: selector(podSelector) }),
  };
}

function selector({ matchLabels, matchExpressions }: LabelSelector) {
  return {
    ...(matchLabels && { matchLabels }),
    ...(matchExpressions.length > 0 && {
      matchExpressions: matchExpressions.map(({ key, operator, values }) => ({
        ...{ key, operator },
        ...(values.length > 0 && { values }),
      })),
    }),
  };
}
