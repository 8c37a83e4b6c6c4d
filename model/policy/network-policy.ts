import type { LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../objects/networking.ts";
import { portProtocol } from "../protocol.ts";
import { type CompiledPolicy, DEFAULT_TIER, rulesText } from "./compiled-policy.ts";
import { closed, overLimit } from "./limits.ts";
import type { PeerMatch, PortMatch, Rule } from "./rules.ts";
import { podsAcross, podsIn, type WorkloadSelector } from "./workload-selector.ts";

/** Where Kubernetes' policies stand among those of their tier, as in Calico. */
const ORDER = 1000;

const EVERYTHING: LabelSelector = { matchExpressions: [] };

/** Kubernetes semantics: see the field documentation of networking.k8s.io/v1 NetworkPolicySpec. */
export function compileNetworkPolicy(policy: NetworkPolicy): CompiledPolicy {
  const { spec, metadata } = policy;
  const namespace = metadata.namespace ?? "default";
  const owner = `NetworkPolicy ${namespace}/${metadata.name}`;
  const selectors = new Map<string, WorkloadSelector>();
  const peerOf = (peer: NetworkPolicyPeer): PeerMatch => {
    if (peer.ipBlock) return { cidrs: [peer.ipBlock.cidr], except: peer.ipBlock.except };
    const pods = peer.podSelector ?? EVERYTHING;
    const selector = peer.namespaceSelector ? podsAcross(peer.namespaceSelector, pods) : podsIn(namespace, pods);
    selectors.set(selector.text, selector);
    return { selectors: [selector.text] };
  };
  const ruleOf = (
    side: string,
    place: number,
    peers: readonly NetworkPolicyPeer[],
    ports: readonly NetworkPolicyPort[],
  ): Rule => ({
    verdict: "allow",
    reason: `${owner}, ${side} rule ${place + 1}`,
    ...(peers.length > 0 && { peers: peers.map(peerOf) }),
    ...(ports.length > 0 && { ports: ports.map(portOf) }),
  });
  // policyTypes defaults to Ingress, and to Egress too when the policy has an egress section with rules.
  const types =
    spec.policyTypes.length > 0 ? spec.policyTypes : spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  const rules = {
    ...(types.includes("Ingress") && {
      ingress: spec.ingress.map((rule, place) => ruleOf("ingress", place, rule.from, rule.ports)),
    }),
    ...(types.includes("Egress") && {
      egress: (spec.egress ?? []).map((rule, place) => ruleOf("egress", place, rule.to, rule.ports)),
    }),
  };
  const compiled: CompiledPolicy = {
    kind: "NetworkPolicy",
    owner,
    namespace,
    name: metadata.name,
    tier: DEFAULT_TIER,
    order: ORDER,
    rank: [`knp.default.${metadata.name}`, namespace, "KubernetesNetworkPolicy"].join("\0"),
    stage: "normal",
    applyOnForward: false,
    subject: podsIn(namespace, spec.podSelector ?? EVERYTHING),
    ...rules,
    selectors: [...selectors.values()],
    ownSelectors: new Map(),
    services: [],
    text: "",
    closed: false,
    problems: [],
  };
  const over = overLimit(compiled);
  return over ? closed(compiled, over) : { ...compiled, text: rulesText(rules) };
}

function portOf({ protocol, port, endPort }: NetworkPolicyPort): PortMatch {
  const number = portProtocol(protocol);
  if (port == null) return { protocol: number, first: 0, last: 65535 };
  if (typeof port === "string") return { protocol: number, name: port };
  return { protocol: number, first: port, last: endPort ?? port };
}
