import * as pulumi from "@pulumi/pulumi";
import { at, checked, checkedBeside, type InputPlace, isLater, refuse } from "../refusal/refusal.ts";
import { contains, prefixLength } from "../rules/addresses.ts";
import { requireAnyCidr } from "../values/addresses.ts";
import { requireUnique, requireWhole } from "../values/choices.ts";
import { requireLabel, requireObjectName, requirePortName } from "../values/names.ts";
import {
  type IpBlock,
  type LabelSelector,
  type NetworkPolicyEgressRule,
  type NetworkPolicyIngressRule,
  type NetworkPolicyPeer,
  type NetworkPolicyPort,
  type NetworkPolicySpec,
  PolicyType,
} from "./args.ts";
import { requireGiven } from "./given.ts";
import { requireSelector } from "./selector.ts";

/** A policy with its directions filled in. */
export interface CheckedPolicy extends NetworkPolicySpec {
  namespace: string;
  podSelector: pulumi.Input<LabelSelector>;
  policyTypes: PolicyType[];
}

/**
 * Refuses what the API server or the dataplane would refuse later, and what is written such that Kubernetes would ignore it or take it for
 * "everybody"; returns the policy with its defaults.
 */
export function requirePolicy(place: InputPlace, policy: NetworkPolicySpec): CheckedPolicy {
  const { namespace = "default", podSelector, ingress, egress } = policy;
  requireObjectName(at(place, "name"), policy.name);
  requireLabel(at(place, "namespace"), namespace);
  if ("podSelector" in policy) requireGiven(place, { podSelector });
  return {
    name: policy.name,
    namespace,
    podSelector: requireSelector(at(place, "podSelector"), podSelector ?? {}),
    policyTypes: requireTypes(place, policy),
    ...(ingress && { ingress: ingress.map((rule, index) => requireIngress(at(at(place, "ingress"), index), rule)) }),
    ...(egress && { egress: egress.map((rule, index) => requireEgress(at(at(place, "egress"), index), rule)) }),
  };
}

/** Kubernetes' own defaults: ingress always, egress where there are rules for it. */
function requireTypes(place: InputPlace, { policyTypes = [], ingress, egress }: NetworkPolicySpec): PolicyType[] {
  const field = at(place, "policyTypes");
  requireUnique((index) => at(field, index), policyTypes);
  if (policyTypes.length === 0) {
    if (egress?.length !== 0) return egress ? [PolicyType.Ingress, PolicyType.Egress] : [PolicyType.Ingress];
    const why = "without policyTypes Kubernetes would leave egress open";
    return refuse(
      at(place, "egress"),
      egress,
      `at least one rule, or given with policyTypes: ["Ingress", "Egress"] (${why})`,
    );
  }
  const rules = { [PolicyType.Ingress]: ingress, [PolicyType.Egress]: egress };
  for (const type of Object.values(PolicyType)) {
    if (rules[type] === undefined || policyTypes.includes(type)) continue;
    refuse(field, policyTypes, `with "${type}" too, since ${type.toLowerCase()} is given (Kubernetes would ignore it)`);
  }
  return policyTypes;
}

function requireIngress(place: InputPlace, rule: NetworkPolicyIngressRule): NetworkPolicyIngressRule {
  requireGiven(place, rule);
  const { from, ports } = rule;
  return { ...(from && { from: requirePeers(at(place, "from"), from) }), ...requirePorts(at(place, "ports"), ports) };
}

function requireEgress(place: InputPlace, rule: NetworkPolicyEgressRule): NetworkPolicyEgressRule {
  requireGiven(place, rule);
  const { to, ports } = rule;
  return { ...(to && { to: requirePeers(at(place, "to"), to) }), ...requirePorts(at(place, "ports"), ports) };
}

/** An empty list is everybody to Kubernetes; in a program it is most likely a list that nothing was put in. */
function requirePeers(place: InputPlace, peers: NetworkPolicyPeer[]): NetworkPolicyPeer[] {
  if (peers.length === 0) refuse(place, peers, "at least one peer, or left out to allow everybody");
  return peers.map((peer, index) => requirePeer(at(place, index), peer));
}

function requirePeer(place: InputPlace, peer: NetworkPolicyPeer): NetworkPolicyPeer {
  requireGiven(place, peer);
  const { ipBlock, podSelector, namespaceSelector } = peer;
  const selects = podSelector !== undefined || namespaceSelector !== undefined;
  if (selects === (ipBlock !== undefined)) {
    refuse(place, Object.keys(peer), "either an ipBlock, or a podSelector and/or namespaceSelector");
  }
  return {
    ...(ipBlock && { ipBlock: requireBlock(at(place, "ipBlock"), ipBlock) }),
    ...(podSelector && { podSelector: requireSelector(at(place, "podSelector"), podSelector) }),
    ...(namespaceSelector && {
      namespaceSelector: requireSelector(at(place, "namespaceSelector"), namespaceSelector),
    }),
  };
}

function requireBlock(place: InputPlace, block: IpBlock): IpBlock {
  requireGiven(place, block);
  const cidr = checked(block.cidr, (value) => requireAnyCidr(at(place, "cidr"), value));
  const except = block.except?.map((value, index) => {
    const field = at(at(place, "except"), index);
    if (!isLater(value) && !isLater(cidr))
      return requireInside(field, requireAnyCidr(field, value as string), cidr as string);
    return pulumi
      .all([value, cidr])
      .apply(([inner, outer]) => requireInside(field, requireAnyCidr(field, inner), outer));
  });
  return { cidr, ...(except && { except }) };
}

function requireInside(place: InputPlace, inner: string, outer: string): string {
  const [network = ""] = inner.split("/");
  if (contains(outer, network) && prefixLength(inner) > prefixLength(outer)) return inner;
  return refuse(place, inner, `a part of cidr ${outer}, and smaller than it`);
}

function requirePorts(place: InputPlace, ports: NetworkPolicyPort[] | undefined): { ports?: NetworkPolicyPort[] } {
  if (ports === undefined) return {};
  if (ports.length === 0) refuse(place, ports, "at least one port, or left out to allow every port");
  return { ports: ports.map((port, index) => requirePort(at(place, index), port)) };
}

function requirePort(place: InputPlace, written: NetworkPolicyPort): NetworkPolicyPort {
  requireGiven(place, written);
  const { port, endPort, protocol } = written;
  const number = (value: unknown) => requireNumberOrName(at(place, "port"), value);
  if (endPort === undefined)
    return { ...(protocol && { protocol }), ...(port !== undefined && { port: checked(port, number) }) };
  const last = checked(endPort, (value) => requireWhole(at(place, "endPort"), value, 1, 65535));
  if (port === undefined) refuse(at(place, "port"), port, "the first port of the range that endPort is the last of");
  const first = checkedBeside<unknown, number>(port, [last], (value, [most = 0]) =>
    requireFirst(at(place, "port"), number(value), most),
  );
  return { ...(protocol && { protocol }), port: first, endPort: last };
}

function requireNumberOrName(place: InputPlace, port: unknown): number | string {
  if (typeof port === "string") return requirePortName(place, port);
  return requireWhole(place, port as number, 1, 65535);
}

function requireFirst(place: InputPlace, port: number | string, endPort: number): number {
  if (typeof port === "number" && port <= endPort) return port;
  return refuse(place, port, `a number of at most ${endPort}, which is endPort`);
}
