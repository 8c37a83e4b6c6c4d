// Wrong understandings of the semantics, which a test switches on one at a time: the comparison must notice each. The evaluator asks
// `isMisunderstood` at the place where the right understanding stands.

export const MISUNDERSTANDINGS = {
  "ties by kind first": "policies of the same order are sorted by kind, then by name",
  "ties backwards": "of policies with the same order the last name comes first",
  "no order first": "a policy without an order comes first",
  "no order is 1000": "a policy without an order has the order of Kubernetes policies",
  "orders as text": "orders are compared as text: 10 before 9",
  "tiers by name": "tiers are asked in the order of their names",
  "tier without order first": "a tier without an order comes first",
  "ties of tiers backwards": "of tiers with the same order the last name comes first",
  "Pass ends evaluation": "Pass allows",
  "Pass goes to the next policy": "Pass leaves the decision to the next policy of the same tier",
  "Log decides": "Log allows",
  "Deny goes to the next tier": "a denial can be overruled by a later tier",
  "all rules are asked": "of all rules that match the strictest decides",
  "last rule decides": "of all rules that match the last one decides",
  "empty tier counts": "a tier in which no policy applies to the endpoint ends in its default action",
  "other direction counts": "a policy that applies in one direction only makes its tier count in both",
  "defaultAction is ignored": "every tier ends in a denial",
  "defaultAction defaults to Pass": "a tier that does not say how it ends ends in Pass",
  "all passed is closed": "a pod whose tiers all passed is closed",
  "Kubernetes comes last": "Kubernetes policies are asked after all others of the default tier",
  "Kubernetes isolates at once":
    "what no Kubernetes policy allows is denied before Calico policies of a higher order are asked",
  "Admin tier denies": "the tier of Admin policies ends in a denial",
  "Baseline before default": "Baseline policies are asked before the default tier",
  "Baseline counts when isolated": "Baseline policies may allow what Kubernetes policies do not",
  "priority backwards": "of ClusterNetworkPolicies the one with the highest priority number comes first",
  "types are both": "a policy without types applies in both directions",
  "types as in Kubernetes": "a policy without types always applies to ingress",
  "types from ingress only": "a policy without types and rules applies to neither direction",
  "notNets is an alternative": "an address in notNets matches if it is in nets too",
  "nets is all": "an address must be in all of nets",
  "notSelector needs an endpoint": "notSelector matches no address without labels",
  "selectors reach all namespaces":
    "a namespaced policy's selector without namespaceSelector selects in all namespaces",
  "notSelector reaches all namespaces":
    "a namespaced policy's rule with notSelector alone is not limited to its namespace",
  "all() includes global sets": "namespaceSelector: all() selects what is in no namespace",
  "global() is everything": "namespaceSelector: global() selects what is in a namespace too",
  "namespaceSelector by pod labels": "namespaceSelector is asked about the pod's labels",
  "network sets cover no pods": "a network set does not stand for a pod whose address it contains",
  "network sets are merged": "labels of all that has an address are put together",
  "first net decides": "of overlapping network sets only that with the longest prefix counts",
  "missing label is unequal to nothing": "!= does not match what has no such label",
  "not in needs the label": "not in does not match what has no such label",
  "contains is equality": "contains means ==",
  "starts with is contains": "starts with means contains",
  "and before not": "! negates everything up to the end of the conjunction",
  "or before and": "|| binds stronger than &&",
  "service accounts are alternatives": "names and selector of serviceAccounts are alternatives",
  "serviceAccountSelector is ignored": "serviceAccountSelector of a policy selects everybody",
  "service accounts of any namespace": "a namespaced policy's serviceAccounts select in all namespaces",
  "services without ports": "destination.services matches every port of the endpoints",
  "source services with ports": "source.services matches only the ports of the endpoints",
  "services at other policies' namespace": "services without a namespace are in the namespace default",
  "ports of both ends": "destination.ports match the source port too",
  "source ports are ignored": "source.ports match every port",
  "ranges without end": "the last port of a range does not belong to it",
  "ranges without begin": "the first port of a range does not belong to it",
  "notPorts matches ICMP never": "notPorts of one end is ignored",
  "named ports of any protocol": "a named port matches whatever its protocol is",
  "named ports of the subject": "a named port is that of the endpoint that the policy selects",
  "named ports by number of anybody": "a named port matches its number at any endpoint",
  "ICMP code is ignored": "icmp.code is not asked",
  "notICMP needs both": "notICMP is true only if type and code both differ",
  "notProtocol with rest": "notProtocol is ignored",
  "ICMP is ICMPv6": "ICMP and ICMPv6 are one protocol",
  "SCTP is no protocol": "rules of SCTP match nothing",
  "ipVersion is ignored": "ipVersion is not asked",
  "global policies need a namespace": "a GlobalNetworkPolicy's selector does not select host endpoints",
  "namespaceSelector of subjects is ignored": "a GlobalNetworkPolicy's namespaceSelector selects every namespace",
  "subject selector reaches all namespaces": "a NetworkPolicy selects pods of all namespaces",
  "empty selector selects nothing": "a policy without a selector selects nobody",
  "source is the peer": "of an egress rule source means the other end",
  "own side is not asked": "selectors and nets of the endpoint's own side are not asked",
  "preDNAT and others are policies of pods": "policies with doNotTrack or preDNAT apply to pods",
  "missing tier is skipped": "policies of a tier that does not exist do not count",
  "fail-safe ports come last": "fail-safe ports are asked only if no policy decides",
  "fail-safe ports of the other direction": "fail-safe ports of ingress hold for egress too",
  "a host endpoint without policy is open": "what no policy of a manual host endpoint decides is allowed",
  "an automatic host endpoint is closed": "what no policy of an automatic host endpoint decides is denied",
  "every policy is applied to forwarded traffic": "policies without applyOnForward apply to forwarded traffic",
  "forwarded is closed": "forwarded traffic is denied where no policy applies",
  "fail-safe ports have no answers": "doNotTrack policies can deny what comes back from a fail-safe port",
  "doNotTrack is asked about what pods send": "egress rules with doNotTrack hold for forwarded traffic too",
  "doNotTrack comes after preDNAT": "what doNotTrack denies can be allowed by preDNAT",
  "preDNAT allows for itself alone": "what a preDNAT policy allows is asked about by the later policies too",
  "forwarded traffic has fail-safe ports": "fail-safe ports are open for forwarded traffic too",
  "the endpoint's default ends forwarded traffic":
    "forwarded traffic that all tiers pass is left to the host endpoint's profiles",
  "preDNAT sees the translation": "preDNAT policies are asked about the backend",
  "preDNAT ends in the default action": "what no preDNAT or doNotTrack policy decides is denied",
  "host endpoints of other nodes": "a host endpoint stands for the interface of every node",
  "the last host endpoint wins": "of several host endpoints of an interface the last by name counts",
  "automatic host endpoints have no labels of nodes": "an automatic host endpoint does not have its node's labels",
  "automatic host endpoints are of one interface":
    "an automatic host endpoint stands for the interface with the node's address",
  "automatic host endpoints have no addresses": "rules do not find nodes by the labels of automatic host endpoints",
  "a template's labels do not count": "an automatic host endpoint of a template has the node's labels alone",
  "an address has one host endpoint": "an address of several host endpoints has the labels of the first",
  "expectedIPs are of nodes alone":
    "rules do not find machines outside by the labels of host endpoints that expect them",
  "only pods have named ports": "a named port of a rule's other end is never that of a host endpoint",
  "pods always reach their node": "defaultEndpointToHostAction is not asked",
  "a pod's egress ends at its node": "a pod's own policies are not asked about its own node",
  "Kubernetes' egress counts at the own node": "also Kubernetes' policies close the way to a pod's own node",
  "Return accepts": "defaultEndpointToHostAction: Return lets everything in",
  "Drop has fail-safe ports": "defaultEndpointToHostAction: Drop leaves fail-safe ports open",
  "a pod has one address": "a pod is found by the first of its addresses only",
  "a block of everything has both families": "0.0.0.0/0 contains IPv6 addresses, and ::/0 those of IPv4",
  "without a gateway pods leave plainly": "pods whose EgressGateway has no node leave by their own node",
  "a gateway is asked inside the cluster": "an EgressGateway holds for packets to pods and nodes, too",
  "the last gateway counts": "of several EgressGateways that select a pod the last by name counts",
  "the own side of forwarded traffic is the host endpoint":
    "rules about the destination of what a node forwards ask about its host endpoint",
  "* wins": "the host endpoint of all interfaces counts before that of one",
} as const;

export type Misunderstanding = keyof typeof MISUNDERSTANDINGS;

let current: Misunderstanding | undefined;
let memo = new WeakMap<object, Map<string, unknown>>();

export function isMisunderstood(what: Misunderstanding): boolean {
  return current === what;
}

/** What `action` returns while the evaluator has one thing wrong. */
export function misunderstanding<T>(what: Misunderstanding, action: () => T): T {
  [current, memo] = [what, new WeakMap()];
  try {
    return action();
  } finally {
    [current, memo] = [undefined, new WeakMap()];
  }
}

/** Remembers what is asked about the same world for many packets, until the understanding changes. */
export function remembered<T>(world: object, key: string, make: () => T): T {
  const known = memo.get(world) ?? new Map<string, unknown>();
  memo.set(world, known);
  if (!known.has(key)) known.set(key, make());
  return known.get(key) as T;
}
