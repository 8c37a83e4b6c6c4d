import { type Cidr, covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import { namingOthers, serviceWords, withWords } from "../../model/flow/peer-words.ts";
import type { Pod } from "../../model/objects/core.ts";
import { namespace as namespaceSchema } from "../../model/objects/core.ts";
import type { EndpointSlice } from "../../model/objects/discovery.ts";
import { objectName } from "../../model/objects/metadata.ts";
import { atOwnEnds, type EndpointPolicy } from "../../model/policy/endpoint-policy.ts";
import { type HostPeer, hostsOf, labelledAddresses } from "../../model/policy/hosts.ts";
import { containerPorts, IdentityTable } from "../../model/policy/identity.ts";
import { ANYBODY, decisionAt, Judge, type Peer as PolicyPeer, portName } from "../../model/policy/judge.ts";
import type { Tier } from "../../model/policy/rules.ts";
import { PolicySelector } from "../../model/policy/selection.ts";
import { PodSubjects } from "../../model/policy/subject.ts";
import { podAsSubject } from "../../model/policy/who.ts";
import { protocolNumbers } from "../../model/protocol.ts";
import type { Workload } from "../declared/objects.ts";
import { type Cast, podOf } from "./cast.ts";
import { knownEndpoints } from "./service-endpoints.ts";

/** The sender: pods, nodes other than the pod's own, or a host at an address or in blocks of addresses. */
export type Peer =
  | { kind: "nodes" }
  | { kind: "workload"; workload: Workload }
  | { kind: "stranger"; namespace: string }
  | { kind: "address"; address: string }
  | { kind: "blocks"; cidrs: readonly string[] };

/** A port of pods. */
export interface Target {
  workload: Workload;
  protocol: "TCP" | "UDP" | "SCTP";
  /** Or its name in the containers. */
  port: number | string;
}

/** depends: on the address that a pod will get, on which pod it is, or on the endpoints of a Service that a rule names, where they are not known. */
export type Reachability = "allowed" | "dropped" | "depends";

export interface Answer {
  verdict: Reachability;
  /** The objects that decided, "NetworkPolicy default/nginx"; none: nothing isolates either side. */
  policies: string[];
}

/** The namespace of undeclared pods: no policy can name it. */
export const ELSEWHERE = "another-namespace";

/**
 * Evaluates the declared policies of all kinds. Selectors, identities and rules are those that the agent compiles, so the answers agree
 * with the nodes. A pod's address is not known yet, so every address of its pools is considered.
 */
export function reachabilityOf(cast: Cast): (from: Peer, to: Target) => Answer {
  const pods = new Map(cast.workloads.map((workload) => [workload, podOf(workload)]));
  const { services, endpointSlices } = knownEndpoints(cast);
  const selection = selectionOf(cast, [...pods.values()], endpointSlices);
  const { policies, vocabulary, namespaceOf, accountOf } = selection;
  const aboutServices = namingOthers(selection.sources, services);
  const identities = new IdentityTable(vocabulary);
  const policyOf = ({ metadata, spec }: Pod): EndpointPolicy | undefined =>
    spec.hostNetwork ? undefined : policies.get(keyOf(metadata.namespace ?? "default", metadata.name));
  const judges = new Map<readonly Tier[], Judge>();
  const isAllowed = (policy: EndpointPolicy, direction: "ingress" | "egress", asked: Asked): boolean => {
    const tiers = policy[direction];
    if (!tiers) return true;
    const judge = judges.get(tiers) ?? new Judge(tiers, policy.afterwards);
    judges.set(tiers, judge);
    return decisionAt(judge.judge(asked.identity ?? ANYBODY), asked.protocol, asked.port).verdict === "allow";
  };
  const inPools = placesIn(
    cast.pools.map(parseCidr),
    [...vocabulary.blocks.values()].map(({ cidr }) => cidr),
  );
  const ofPod = (pod: Pod) => {
    const { namespace: written, labels } = pod.metadata;
    const namespace = written ?? "default";
    const who = podAsSubject(pod, namespaceOf(namespace), accountOf(pod));
    const words = serviceWords({ namespace, labels: labels ?? {} }, services, endpointSlices);
    return inPools.map((cidr) => withWords(identities.ofPod(pod, who, cidr), words));
  };
  const hosts = hostLabels(cast);
  const ofAddress = (address: string) => identities.ofBlock(hostCidr(address), hosts.get(address));
  const ofNodes = () => cast.nodes.map(({ address }) => ofAddress(address));
  const podOfPeer = (peer: Peer): Pod | undefined => {
    if (peer.kind === "stranger") return stranger(peer.namespace);
    return peer.kind === "workload" ? (pods.get(peer.workload) ?? podOf(peer.workload)) : undefined;
  };
  const identitiesOf = (peer: Peer): (PolicyPeer | undefined)[] => {
    if (peer.kind === "address") return [ofAddress(peer.address)];
    if (peer.kind === "blocks") return peer.cidrs.map((cidr) => identities.ofBlock(parseCidr(cidr)));
    const pod = podOfPeer(peer);
    return pod && !pod.spec.hostNetwork ? ofPod(pod) : ofNodes();
  };
  return (from, to) => {
    const target = pods.get(to.workload) ?? podOf(to.workload);
    const [port, protocol] = [numberOf(to, target), protocolNumbers[to.protocol]];
    const sender = podOfPeer(from);
    const [receives, sends] = [policyOf(target), sender && policyOf(sender)];
    const subject: Peer = { kind: "workload", workload: to.workload };
    const asked = (
      policy: EndpointPolicy | undefined,
      direction: "ingress" | "egress",
      peers: (PolicyPeer | undefined)[],
      own: Pod | undefined,
    ): boolean[] => {
      const all = policy ? atOwnEnds(policy, direction, () => (own ? ofPod(own) : [])) : [];
      return all.flatMap((at) => peers.map((identity) => isAllowed(at, direction, { identity, protocol, port })));
    };
    const ends = [
      asked(receives, "ingress", identitiesOf(from), target),
      asked(sends, "egress", identitiesOf(subject), sender),
    ];
    const deciding = [receives?.ingress && receives, sends?.egress && sends].flatMap((one) => one || []);
    const names = namesOf(deciding);
    const isOpen = names.some((name) => aboutServices.has(name));
    return { verdict: isOpen ? "depends" : together(ends), policies: names };
  };
}

interface Asked {
  identity: PolicyPeer | undefined;
  protocol: number;
  port: number;
}

/** Both ends must allow; if the verdict of one end depends on the address, the result is open. */
function together(ends: boolean[][]): Reachability {
  if (ends.some((end) => end.length > 0 && end.every((allowed) => !allowed))) return "dropped";
  return ends.every((end) => end.every((allowed) => allowed)) ? "allowed" : "depends";
}

/** Which policies apply to which pods: to the declared ones, and to others in their namespaces and elsewhere. */
function selectionOf(
  { policies: declared, namespaces: labels, serviceAccounts }: Cast,
  pods: Pod[],
  endpointSlices: readonly EndpointSlice[],
) {
  const homes = new Set(pods.map(({ metadata }) => metadata.namespace ?? "default"));
  const all = [...pods, ...[...homes, ELSEWHERE].map(stranger)];
  const endpoints = all.map(({ metadata }) => ({ namespace: metadata.namespace ?? "default", pod: metadata.name }));
  const named = new Set([...homes, ELSEWHERE, ...labels.keys()]);
  const namespaces = new Map(
    [...named].map((name) => [name, namespaceSchema.parse({ metadata: { name, labels: labels.get(name) ?? {} } })]),
  );
  const accounts = new Map(serviceAccounts.map((account) => [objectName(account), account]));
  const found = new PodSubjects().of(endpoints, all, [...namespaces.values()], serviceAccounts);
  // At whatever address of the pools.
  const subjects = new Map([...found].map(([endpoint, pod]) => [endpoint, { ...pod, ownEnd: "itself" as const }]));
  const known = { namespaces: [...namespaces.values()], serviceAccounts, endpointSlices };
  const selection = new PolicySelector().select({ ...declared, ...known, subjects });
  const policies = new Map(
    [...selection.policies].map(([{ namespace, pod }, policy]) => [keyOf(namespace, pod), policy]),
  );
  return {
    policies,
    vocabulary: selection.vocabulary,
    sources: selection.sources,
    namespaceOf: (name: string) => namespaces.get(name),
    accountOf: ({ metadata, spec }: Pod) => accounts.get(`${metadata.namespace}/${spec.serviceAccountName}`),
  };
}

/** How selectors find the addresses that HostEndpoints expect. */
function hostLabels({ hosts: { hostEndpoints = [] }, nodes }: Cast): ReadonlyMap<string, readonly HostPeer[]> {
  const nodeOf = (address: string) =>
    nodes.find((node) => node.address === address || node.addressIpv6 === address)?.name;
  return labelledAddresses(hostsOf({ hostEndpoints, nodes: [] }), { nodeOf });
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

/** The address ranges of a pod that policies distinguish: anywhere in a pool, or in a block inside it. */
function placesIn(pools: Cidr[], named: readonly Cidr[]): Cidr[] {
  return pools.flatMap((pool) => [pool, ...named.filter((cidr) => cidr.text !== pool.text && covers(pool, cidr))]);
}

/** A pod without labels. */
function stranger(namespace: string): Pod {
  return podOf({
    kind: "Pod",
    namespace,
    name: "another pod",
    labels: {},
    hostNetwork: false,
    serviceAccountName: "default",
    containers: [],
    initContainers: [],
  });
}

/** A name that the pod has no port of is no port: 0 is in no rule. */
function numberOf({ port, protocol }: Target, pod: Pod): number {
  if (typeof port === "number") return port;
  return containerPorts(pod).get(portName(protocolNumbers[protocol], port)) ?? 0;
}

function namesOf(policies: EndpointPolicy[]): string[] {
  return [...new Set(policies.flatMap(({ sources }) => sources.split(", ")))].sort();
}
