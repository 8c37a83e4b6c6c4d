import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../objects/networking.ts";
import type { Problem } from "../problem.ts";
import { portProtocol } from "../protocol.ts";
import { closed, overLimit } from "./limits.ts";
import type { PeerMatch, PortMatch, Rule } from "./rules.ts";
import { selectorText, selects } from "./selector.ts";

/** Which pods of the cluster a peer means. */
export interface PodSelector {
  /** Unique per meaning; what rules refer to and what people read. */
  readonly text: string;
  /** Pods of this namespace only; undefined: of every namespace that `namespaces` selects. */
  readonly namespace?: string;
  readonly namespaces?: LabelSelector;
  readonly pods: LabelSelector;
}

/** One NetworkPolicy as ordered rules; a direction it does not isolate is absent. */
export interface CompiledPolicy {
  readonly owner: string;
  readonly namespace: string;
  readonly name: string;
  readonly subject: LabelSelector;
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly selectors: readonly PodSelector[];
  /** The rules, in one text per meaning. */
  readonly text: string;
  /** It is too large to be in force (limits.ts). */
  readonly closed: boolean;
  readonly problems: readonly Problem[];
}

const EVERYTHING: LabelSelector = { matchExpressions: [] };

/** Kubernetes semantics: see the field documentation of networking.k8s.io/v1 NetworkPolicySpec. */
export function compileNetworkPolicy(policy: NetworkPolicy): CompiledPolicy {
  const { spec, metadata } = policy;
  const namespace = metadata.namespace ?? "default";
  const selectors = new Map<string, PodSelector>();
  const peerOf = (peer: NetworkPolicyPeer): PeerMatch => {
    if (peer.ipBlock) return { cidr: peer.ipBlock.cidr, except: peer.ipBlock.except };
    const selector = podSelector(peer, namespace);
    selectors.set(selector.text, selector);
    return { selector: selector.text };
  };
  const ruleOf = (peers: readonly NetworkPolicyPeer[], ports: readonly NetworkPolicyPort[]): Rule => ({
    verdict: "allow",
    ...(peers.length > 0 && { peers: peers.map(peerOf) }),
    ...(ports.length > 0 && { ports: ports.map(portOf) }),
  });
  // policyTypes defaults to Ingress, and to Egress too when the policy has an egress section with rules.
  const types =
    spec.policyTypes.length > 0 ? spec.policyTypes : spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  const rules = {
    ...(types.includes("Ingress") && { ingress: spec.ingress.map((rule) => ruleOf(rule.from, rule.ports)) }),
    ...(types.includes("Egress") && { egress: (spec.egress ?? []).map((rule) => ruleOf(rule.to, rule.ports)) }),
  };
  const compiled: CompiledPolicy = {
    owner: `NetworkPolicy ${namespace}/${metadata.name}`,
    namespace,
    name: metadata.name,
    subject: spec.podSelector ?? EVERYTHING,
    ...rules,
    selectors: [...selectors.values()],
    text: "",
    closed: false,
    problems: [],
  };
  const over = overLimit(compiled);
  return over ? closed(compiled, over) : { ...compiled, text: JSON.stringify(rules) };
}

export function isSelected(
  policy: CompiledPolicy,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  return policy.namespace === namespace && selects(policy.subject, labels);
}

function podSelector(peer: NetworkPolicyPeer, namespace: string): PodSelector {
  const pods = peer.podSelector ?? EVERYTHING;
  if (!peer.namespaceSelector) {
    return { text: `pods ${selectorText(pods)} in namespace ${namespace}`, namespace, pods };
  }
  const namespaces = peer.namespaceSelector;
  return { text: `pods ${selectorText(pods)} in namespaces ${selectorText(namespaces)}`, namespaces, pods };
}

function portOf({ protocol, port, endPort }: NetworkPolicyPort): PortMatch {
  const number = portProtocol(protocol);
  if (port == null) return { protocol: number, first: 0, last: 65535 };
  if (typeof port === "string") return { protocol: number, name: port };
  return { protocol: number, first: port, last: endPort ?? port };
}
