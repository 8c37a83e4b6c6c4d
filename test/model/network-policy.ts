// The meaning of a NetworkPolicy, implemented a second time from its API documentation alone: no identities, no
// prefixes, no caches. It shares no code with agent/compile, so that each verifies the other.
import { contains } from "./calico/addresses.ts";

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
export interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}
export interface PolicyPeer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: string[] };
}
export interface Policy {
  metadata: { name: string; namespace: string };
  spec: {
    podSelector: Selector;
    policyTypes?: string[];
    ingress?: { from?: PolicyPeer[]; ports?: PolicyPort[] }[];
    egress?: { to?: PolicyPeer[]; ports?: PolicyPort[] }[];
  };
}
/** Anything with an address; a pod if it has a namespace. */
export interface Party {
  address: string;
  namespace?: string;
  namespaceLabels?: Record<string, string>;
  labels?: Record<string, string>;
  ports?: { name: string; containerPort: number; protocol: string }[];
}
/** "TCP", "UDP" with a port, or "ICMP" without. */
export interface Traffic {
  from: Party;
  to: Party;
  protocol: string;
  port: number;
}

/** Whether the policies let the destination, a pod, receive it. */
export function mayReceive(policies: Policy[], { from, to, protocol, port }: Traffic): boolean {
  const isolating = policies.filter((policy) => applies(policy, to) && types(policy).includes("Ingress"));
  if (isolating.length === 0) return true;
  return isolating.some((policy) => allowsReceipt(policy, { from, to, protocol, port }));
}

/** Whether a rule of a policy that applies to the destination allows it. */
export function allowsReceipt(policy: Policy, { from, to, protocol, port }: Traffic): boolean {
  return (policy.spec.ingress ?? []).some(
    (rule) => matchesPeers(rule.from, policy, from) && matchesPorts(rule.ports, to, protocol, port),
  );
}

/** Whether the policies let the source, a pod, send it. */
export function maySend(policies: Policy[], { from, to, protocol, port }: Traffic): boolean {
  const isolating = policies.filter((policy) => applies(policy, from) && types(policy).includes("Egress"));
  if (isolating.length === 0) return true;
  return isolating.some((policy) => allowsSending(policy, { from, to, protocol, port }));
}

/** Whether a rule of a policy that applies to the source allows it. */
export function allowsSending(policy: Policy, { to, protocol, port }: Traffic): boolean {
  return (policy.spec.egress ?? []).some(
    (rule) => matchesPeers(rule.to, policy, to) && matchesPorts(rule.ports, to, protocol, port),
  );
}

export function applies(policy: Policy, pod: Party): boolean {
  return policy.metadata.namespace === pod.namespace && matches(policy.spec.podSelector, pod.labels ?? {});
}

// "If this field is not specified, it will default based on the existence of ingress or egress rules; policies that
// contain an egress section are assumed to affect egress, and all policies (whether or not they contain an ingress
// section) are assumed to affect ingress."
export function types({ spec }: Policy): string[] {
  if (spec.policyTypes && spec.policyTypes.length > 0) return spec.policyTypes;
  return spec.egress && spec.egress.length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

// "If this field is empty or missing, this rule matches all sources" (destinations).
function matchesPeers(peers: PolicyPeer[] | undefined, policy: Policy, party: Party): boolean {
  if (!peers || peers.length === 0) return true;
  return peers.some((peer) => matchesPeer(peer, policy, party));
}

function matchesPeer({ podSelector, namespaceSelector, ipBlock }: PolicyPeer, policy: Policy, party: Party): boolean {
  if (ipBlock) {
    const excepted = (ipBlock.except ?? []).some((block) => contains(block, party.address));
    return contains(ipBlock.cidr, party.address) && !excepted;
  }
  if (party.namespace === undefined) return false;
  const namespaceFits = namespaceSelector
    ? matches(namespaceSelector, party.namespaceLabels ?? {})
    : party.namespace === policy.metadata.namespace;
  return namespaceFits && (!podSelector || matches(podSelector, party.labels ?? {}));
}

// "If this field is empty or missing, this rule matches all ports (traffic not restricted by port)."
function matchesPorts(ports: PolicyPort[] | undefined, to: Party, protocol: string, port: number): boolean {
  if (!ports || ports.length === 0) return true;
  return ports.some((item) => {
    const wanted = item.protocol ?? "TCP";
    if (wanted !== protocol) return false;
    if (item.port === undefined) return true;
    if (typeof item.port === "number") return item.port <= port && port <= (item.endPort ?? item.port);
    const named = (to.ports ?? []).find(({ name, protocol: of }) => name === item.port && of === wanted);
    return named !== undefined && named.containerPort === port;
  });
}

export function matches(selector: Selector, labels: Record<string, string>): boolean {
  for (const key in selector.matchLabels ?? {}) {
    if (labels[key] !== selector.matchLabels?.[key]) return false;
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const present = key in labels;
    const among = present && (values ?? []).some((value) => value === labels[key]);
    if (operator === "In" && !among) return false;
    if (operator === "NotIn" && among) return false;
    if (operator === "Exists" && !present) return false;
    if (operator === "DoesNotExist" && present) return false;
  }
  return true;
}
