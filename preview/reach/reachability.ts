import { type Cidr, covers, hostCidr, parseCidr } from "../../model/address/address.ts";
import type { Pod } from "../../model/objects/core.ts";
import { namespace as namespaceSchema } from "../../model/objects/core.ts";
import { containerPorts, type Identity, IdentityTable } from "../../model/policy/identity.ts";
import { ANYBODY, decisionAt, judge as judgeRules, portName } from "../../model/policy/judge.ts";
import type { Tier } from "../../model/policy/rules.ts";
import { type EndpointPolicy, PolicySelector } from "../../model/policy/selection.ts";
import { PodSubjects } from "../../model/policy/subject.ts";
import { podAsSubject } from "../../model/policy/who.ts";
import { protocolNumbers } from "../../model/protocol.ts";
import type { Workload } from "../declared/objects.ts";
import { type Cast, podOf } from "./cast.ts";

/** Who connects: pods, nodes other than the pod's own, or somebody at an address or in a block of addresses. */
export type Peer =
  | { kind: "nodes" }
  | { kind: "workload"; workload: Workload }
  | { kind: "stranger"; namespace: string }
  | { kind: "address"; address: string }
  | { kind: "block"; cidr: string };

/** A port of pods. */
export interface Target {
  workload: Workload;
  protocol: "TCP" | "UDP" | "SCTP";
  /** Or its name in the containers. */
  port: number | string;
}

/** depends: on the address that a pod will get, or on which pod it is. */
export type Reachability = "allowed" | "dropped" | "depends";

export interface Answer {
  verdict: Reachability;
  /** The objects that decided, "NetworkPolicy default/nginx"; none: nothing isolates either side. */
  policies: string[];
}

/** The namespace of undeclared pods: no policy can name it. */
export const ELSEWHERE = "another-namespace";

/**
 * Evaluates the declared policies. Selectors, identities and rules are those that the agent compiles, so the answers agree with
 * the nodes. A pod's address is not known yet, so every address of its pools is considered.
 */
export function reachabilityOf(cast: Cast): (from: Peer, to: Target) => Answer {
  const pods = new Map(cast.workloads.map((workload) => [workload, podOf(workload)]));
  const { policies, vocabulary } = selectionOf(cast, [...pods.values()]);
  const identities = new IdentityTable(vocabulary);
  const policyOf = (workload: Workload): EndpointPolicy | undefined =>
    workload.hostNetwork ? undefined : policies.get(keyOf(workload.namespace, workload.name));
  const namespaceOf = (name: string) =>
    namespaceSchema.parse({ metadata: { name, labels: cast.namespaces.get(name) ?? {} } });
  const inPools = placesIn(
    cast.pools.map(parseCidr),
    [...vocabulary.blocks.values()].map(({ cidr }) => cidr),
  );
  const ofPod = (pod: Pod, namespace: string) =>
    inPools.map((cidr) => identities.ofPod(pod, podAsSubject(pod, namespaceOf(namespace)), cidr));
  const ofNodes = () => cast.nodes.map(({ address }) => identities.ofBlock(hostCidr(address)));

  const identitiesOf = (peer: Peer): (Identity | undefined)[] => {
    if (peer.kind === "address") return [identities.ofBlock(hostCidr(peer.address))];
    if (peer.kind === "block") return [identities.ofBlock(parseCidr(peer.cidr))];
    if (peer.kind === "stranger") return ofPod(stranger(peer.namespace), peer.namespace);
    if (peer.kind === "nodes") return ofNodes();
    const { workload } = peer;
    return workload.hostNetwork ? ofNodes() : ofPod(pods.get(workload) ?? podOf(workload), workload.namespace);
  };
  return (from, to) => {
    const port = numberOf(to, pods.get(to.workload) ?? podOf(to.workload));
    const protocol = protocolNumbers[to.protocol];
    const receives = policyOf(to.workload);
    const sends = from.kind === "workload" ? policyOf(from.workload) : undefined;
    const subject: Peer = { kind: "workload", workload: to.workload };
    const verdicts = [
      ...identitiesOf(from).map((identity) => isAllowed(receives?.ingress, identity, protocol, port)),
      ...identitiesOf(subject).map((identity) => isAllowed(sends?.egress, identity, protocol, port)),
    ];
    const deciding = [receives?.ingress && receives, sends?.egress && sends].flatMap((one) => one || []);
    return { verdict: together(verdicts, identitiesOf(from).length), policies: namesOf(deciding) };
  };
}

/** Both ends must allow; if the verdict of one end depends on the address, the result is open. */
function together(verdicts: boolean[], received: number): Reachability {
  const ends = [verdicts.slice(0, received), verdicts.slice(received)];
  if (ends.some((end) => end.length > 0 && end.every((allowed) => !allowed))) return "dropped";
  return ends.every((end) => end.every((allowed) => allowed)) ? "allowed" : "depends";
}

function isAllowed(tiers: readonly Tier[] | undefined, identity: Identity | undefined, protocol: number, port: number) {
  return !tiers || decisionAt(judgeRules(tiers, identity ?? ANYBODY), protocol, port).verdict === "allow";
}

/** Which policies apply to which pods. */
function selectionOf({ policies: networkPolicies }: Cast, pods: Pod[]) {
  const endpoints = pods.map(({ metadata }) => ({ namespace: metadata.namespace ?? "default", pod: metadata.name }));
  const selection = new PolicySelector().select({ networkPolicies, subjects: new PodSubjects().of(endpoints, pods) });
  const policies = new Map(
    [...selection.policies].map(([{ namespace, pod }, policy]) => [keyOf(namespace, pod), policy]),
  );
  return { policies, vocabulary: selection.vocabulary };
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
