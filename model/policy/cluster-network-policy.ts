import type { WELL_KNOWN_TIERS } from "../objects/calico-policy/tier.ts";
import type { ClusterNetworkPolicy, ClusterNetworkPolicyProtocol } from "../objects/cluster-network-policy.ts";
import type { LabelSelector } from "../objects/networking.ts";
import { protocolNumbers } from "../protocol.ts";
import { type CompiledPolicy, rulesText } from "./compiled-policy.ts";
import type { PeerMatch, PortMatch, Rule, RuleVerdict } from "./rules.ts";
import { nodesBy, podsAcross, type WorkloadSelector } from "./workload-selector.ts";

type Spec = ClusterNetworkPolicy["spec"];
type Peer = Spec["egress"][number]["to"][number];
type AnyRule = Pick<Spec["egress"][number], "name" | "action" | "protocols">;

const EVERYTHING: LabelSelector = { matchExpressions: [] };
/** As in Calico. */
const TIERS = { Admin: "kube-admin", Baseline: "kube-baseline" } as const satisfies Record<
  Spec["tier"],
  keyof typeof WELL_KNOWN_TIERS
>;
const VERDICTS: Record<AnyRule["action"], RuleVerdict> = { Accept: "allow", Deny: "deny", Pass: "pass" };

/** Semantics: the API's documentation (sigs.k8s.io/network-policy-api). Of two policies of one priority, which the API leaves open, the one
 * whose name sorts first comes first. */
export function compileClusterNetworkPolicy({ metadata, spec }: ClusterNetworkPolicy): CompiledPolicy {
  const { name } = metadata;
  const owner = `ClusterNetworkPolicy ${name}`;
  const selectors = new Map<string, WorkloadSelector>();
  const peerOf = (peer: Peer): PeerMatch => {
    if (peer.networks) return { cidrs: peer.networks };
    const selector = peer.nodes ? nodesBy(peer.nodes) : podsOf(peer);
    selectors.set(selector.text, selector);
    return { selectors: [selector.text] };
  };
  const ruleOf = (
    side: string,
    place: number,
    { name: ruleName, action, protocols }: AnyRule,
    peers: Peer[],
  ): Rule => ({
    verdict: VERDICTS[action],
    reason: `tier ${spec.tier}, ${owner}, ${side} rule ${place + 1}${ruleName ? ` (${ruleName})` : ""}`,
    peers: peers.map(peerOf),
    ...(protocols && { ports: protocols.flatMap(portsOf) }),
  });
  const directions = {
    ...(spec.ingress.length > 0 && { ingress: spec.ingress.map((rule, at) => ruleOf("ingress", at, rule, rule.from)) }),
    ...(spec.egress.length > 0 && { egress: spec.egress.map((rule, at) => ruleOf("egress", at, rule, rule.to)) }),
  };
  return {
    kind: "ClusterNetworkPolicy",
    owner,
    name,
    tier: TIERS[spec.tier],
    order: spec.priority,
    rank: [name, "", "ClusterNetworkPolicy"].join("\0"),
    stage: "normal",
    applyOnForward: false,
    subject: podsOf(spec.subject),
    ...directions,
    selectors: [...selectors.values()],
    ownSelectors: new Map(),
    services: [],
    text: rulesText(directions),
    closed: false,
    problems: [],
  };
}

/** Whether a rule refers to nodes: then their labels and addresses are needed. */
export function isAboutNodes({ spec }: ClusterNetworkPolicy): boolean {
  return spec.egress.some(({ to }) => to.some(({ nodes }) => nodes));
}

function namedPorts(name: string): PortMatch[] {
  return Object.values(protocolNumbers).map((protocol) => ({ protocol, name }));
}

function podsOf({ namespaces, pods }: Pick<Peer, "namespaces" | "pods">): WorkloadSelector {
  if (pods) return podsAcross(pods.namespaceSelector, pods.podSelector);
  return podsAcross(namespaces ?? EVERYTHING, EVERYTHING);
}

/** A name is that of a port of any protocol. */
function portsOf(match: ClusterNetworkPolicyProtocol): PortMatch[] {
  if (match.name !== undefined) return namedPorts(match.name);
  return [{ protocol: protocolNumbers[match.protocol], first: match.first, last: match.last }];
}
