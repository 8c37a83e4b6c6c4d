import { endText, type FlowEnd, targetText } from "../model/flow/record.ts";
import type { SeenFlow, SeenFlows } from "../model/flow/seen.ts";
import type { LabelSelector, NetworkPolicyPeer, NetworkPolicyPort } from "../model/objects/networking.ts";
import { blocksOf } from "./blocks.ts";
import { isNamed, portsOf, portText } from "./ports.ts";
import { type Group, type GroupSelector, groupKey, groupsOf, selectorOf } from "./selectors.ts";

/** A rule, and what the log says about it. */
export interface SuggestedRule {
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly NetworkPolicyPort[];
  readonly comments: readonly string[];
}

/** A proposed NetworkPolicy. Both directions are isolated. */
export interface SuggestedPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: LabelSelector;
  readonly ingress: readonly SuggestedRule[];
  readonly egress: readonly SuggestedRule[];
  /** What was generalised. */
  readonly comments: readonly string[];
}

/** Policies that allow the flows of a log. */
export interface Suggestion {
  readonly policies: readonly SuggestedPolicy[];
  /** Flows that no NetworkPolicy of these allows, and why. */
  readonly uncovered: readonly { readonly flow: string; readonly why: string }[];
  /** Flows that these policies allow, and that other policies refuse. */
  readonly forbidden: readonly { readonly flow: string; readonly why: string }[];
}

/** Says why a flow is refused in spite of the proposed policies; undefined: it is not. */
export type Forbids = (flow: SeenFlow) => string | undefined;

/** The fewest NetworkPolicies that allow the connections of a log and nothing else between the pods of its namespaces. Pure.
 * @param namespaces whose pods are isolated; undefined: of all in the log */
export function suggestPolicies(
  seen: SeenFlows,
  namespaces?: ReadonlySet<string>,
  forbids: Forbids = deniedInLog,
): Suggestion {
  const used = seen.flows.filter(({ connections, isOwnNode }) => connections > 0 && !isOwnNode);
  const groups = groupsOf(seen.flows.flatMap(({ from, to }) => [from, to]));
  const words: Words = {
    ...{ pools: seen.pools, forbids },
    selectors: new Map([...groups].map(([key, group]) => [key, selectorOf(group, groups.values())])),
  };
  const uncovered = used.flatMap((flow) => {
    const why = obstacle(flow);
    return why ? [{ flow: flowText(flow), why }] : [];
  });
  const covered = used.filter((flow) => !obstacle(flow));
  const subjects = [...groups].filter(([, { namespace }]) => !namespaces || namespaces.has(namespace));
  const byNamespace = Map.groupBy(subjects, ([, { namespace }]) => namespace);
  const policies = [...byNamespace]
    .sort()
    .flatMap(([namespace, own]) => [
      everythingDenied(namespace),
      ...own.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, group]) => policyFor(key, group, covered, words)),
    ]);
  const isSubject = (end: FlowEnd) => end.kind === "pods" && (!namespaces || namespaces.has(end.namespace));
  return {
    policies: policies.filter((one) => one.comments.length + one.ingress.length + one.egress.length > 0),
    uncovered,
    forbidden: covered
      .filter(({ from, to }) => isSubject(from) || isSubject(to))
      .flatMap((flow) => {
        const why = forbids(flow);
        return why ? [{ flow: flowText(flow), why }] : [];
      }),
  };
}

const flowText = (flow: SeenFlow): string => `${endText(flow.from)} → ${targetText(flow)}`;

/** What others than Kubernetes' NetworkPolicies have denied: what is proposed does not change that. */
export function deniedInLog({ packetsDenied, policies }: SeenFlow): string | undefined {
  const others = policies.filter((text) => !/^(?!.*(?:Calico|Global|Cluster|Host)).*\bNetworkPolicy /.test(text));
  if (packetsDenied === 0 || others.length === 0) return undefined;
  return `the log has packets of it that were denied, too (${packetsDenied}): ${others.join("; ")}`;
}

interface Words {
  readonly forbids: Forbids;
  readonly pools: readonly string[];
  readonly selectors: ReadonlyMap<string, GroupSelector>;
}

function obstacle(flow: SeenFlow): string | undefined {
  const { from, to, protocol, port } = flow;
  const ends = [from, to];
  const unknown = ends.find((end) => end.kind === "pods" && !end.labels);
  if (unknown) return `the labels of ${endText(unknown)} are not in the log`;
  const isIcmp = protocol === "ICMP" || protocol === ICMPV6;
  if (isIcmp && ends.some(({ kind }) => kind === "pods")) return icmpWords(flow);
  if (!isNamed(protocol) || port === 0) return `NetworkPolicy has no word for ${protocol} without a port`;
  const lost = ends.find((end) => end.kind === "node" && end.addresses.length === 0);
  if (lost) return `the addresses of ${endText(lost)} are not in the log`;
  return ends.some(({ kind }) => kind === "service" || kind === "others")
    ? "the log does not say who that is"
    : undefined;
}

/** In a flow log. */
const ICMPV6 = "58";

/** What has to be written beside the policies, and where. */
function icmpWords({ from, to, protocol, icmp }: SeenFlow): string {
  const message = icmp ? `, icmp: { type: ${icmp.type}, code: ${icmp.code} }` : "";
  const rule = `{ action: Allow, protocol: ${protocol === ICMPV6 ? "ICMPv6" : "ICMP"}${message} }`;
  const sides = [
    ...(from.kind === "pods" ? [`egress of ${endText(from)}`] : []),
    ...(to.kind === "pods" ? [`ingress of ${endText(to)}`] : []),
  ];
  return (
    "a NetworkPolicy of Kubernetes cannot name ICMP, so it is denied. To allow it, write a NetworkPolicy of " +
    `projectcalico.org/v3 with the rule ${rule} for the ${sides.join(" and for the ")}`
  );
}

const DENY = "default-deny";

function everythingDenied(namespace: string): SuggestedPolicy {
  const comments = ["Pods that no policy below selects send and receive nothing."];
  return { namespace, name: DENY, podSelector: { matchExpressions: [] }, ingress: [], egress: [], comments };
}

function policyFor(
  key: string,
  { namespace, workload }: Group,
  flows: readonly SeenFlow[],
  words: Words,
): SuggestedPolicy {
  const { selector, alsoSelects } = words.selectors.get(key) as GroupSelector;
  const isOwn = (end: FlowEnd) => end.kind === "pods" && groupKey(end) === key;
  const [received, sent] = [flows.filter(({ to }) => isOwn(to)), flows.filter(({ from }) => isOwn(from))];
  return {
    namespace,
    name: workload === DENY ? `${workload}-pods` : workload,
    podSelector: selector,
    ingress: rulesFor(received, ({ from }) => from, namespace, words),
    egress: rulesFor(sent, ({ to }) => to, namespace, words),
    comments: selectorComments("The policy", selector, alsoSelects),
  };
}

function selectorComments(who: string, selector: LabelSelector, alsoSelects: readonly string[]): string[] {
  if (!selector.matchLabels && selector.matchExpressions.length === 0)
    return [
      `Generalised: the pods have no labels in common, so ${who.toLowerCase()} is about every pod of the namespace.`,
    ];
  if (alsoSelects.length > 0)
    return [
      `Generalised: no label tells these pods apart from ${alsoSelects.join(", ")}: ${who.toLowerCase()} is about both.`,
    ];
  return [];
}

/** Rules for flows with the same subject: peers with the same ports share one. */
function rulesFor(
  flows: readonly SeenFlow[],
  peerOf: (flow: SeenFlow) => FlowEnd,
  namespace: string,
  words: Words,
): SuggestedRule[] {
  const ports = new Map<string, { end: FlowEnd; ports: Set<string>; connections: number; forbidden: string[] }>();
  for (const flow of flows) {
    for (const { key, end } of parts(peerOf(flow))) {
      const known = ports.get(key) ?? { end, ports: new Set(), connections: 0, forbidden: [] };
      known.ports.add(portText(flow.protocol, flow.port));
      known.connections += flow.connections;
      const why = words.forbids(flow);
      if (why) known.forbidden.push(`Not enough for ${flowText(flow)}: ${why}.`);
      ports.set(key, known);
    }
  }
  const samePorts = Map.groupBy(ports.values(), (one) => [...one.ports].sort().join());
  return [...samePorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, alike]) => {
      const [first] = alike;
      const named = peersFor(
        alike.map(({ end }) => end),
        namespace,
        words,
      );
      const connections = alike.reduce((sum, one) => sum + one.connections, 0);
      const who = alike.slice(0, 4).map(({ end }) => endText(end));
      const more = alike.length > who.length ? ` and ${alike.length - who.length} more` : "";
      return {
        peers: named.peers,
        ports: portsOf(first?.ports ?? new Set()),
        comments: [
          `Seen: ${who.join(", ")}${more}; ${connections} connection${connections === 1 ? "" : "s"}.`,
          ...alike.flatMap(({ forbidden }) => forbidden),
          ...named.comments,
        ],
      };
    });
}

/** What of an end counts as one peer: pods of one workload are one, whatever labels they had. */
function parts(end: FlowEnd): { key: string; end: FlowEnd }[] {
  if (end.kind === "pods") return [{ key: `pods ${groupKey(end)}`, end }];
  return [{ key: JSON.stringify(end), end }];
}

function peersFor(ends: readonly FlowEnd[], namespace: string, { pools, selectors }: Words) {
  const comments: string[] = [];
  const pods = ends.flatMap((end): NetworkPolicyPeer[] => {
    const chosen = end.kind === "pods" ? selectors.get(groupKey(end)) : undefined;
    if (end.kind !== "pods" || !chosen) return [];
    comments.push(...selectorComments(`The rule for ${endText(end)}`, chosen.selector, chosen.alsoSelects));
    const elsewhere = { matchLabels: { "kubernetes.io/metadata.name": end.namespace }, matchExpressions: [] };
    return [{ ...(end.namespace !== namespace && { namespaceSelector: elsewhere }), podSelector: chosen.selector }];
  });
  const addresses = ends.flatMap((end) =>
    end.kind === "network"
      ? [end.cidr]
      : end.kind === "node"
        ? end.addresses.map((one) => `${one}/${one.includes(":") ? 128 : 32}`)
        : [],
  );
  const blocks = blocksOf(addresses, pools).map(({ cidr, except, standsFor }): NetworkPolicyPeer => {
    if (standsFor.length > 1)
      comments.push(`Generalised: ${cidr} stands for ${standsFor.length} addresses that were seen.`);
    else if (cidr.endsWith("/0"))
      comments.push(`Generalised: the log has too many addresses to name them; ${cidr} is everybody outside.`);
    if (pools.length === 0 && standsFor.some((text) => !/\/(32|128)$/.test(text)))
      comments.push(`The log does not name the pools of pods: ${cidr} may include pods.`);
    return { ipBlock: { cidr, except: [...except] } };
  });
  return { peers: [...unique(pods), ...blocks], comments };
}

function unique(peers: readonly NetworkPolicyPeer[]): NetworkPolicyPeer[] {
  return [...new Map(peers.map((peer) => [JSON.stringify(peer), peer])).values()];
}
