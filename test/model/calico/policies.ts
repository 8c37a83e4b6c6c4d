// Every kind of policy in one form: where it stands in the order, whom it applies to, and what it says of a packet.
import {
  allowsReceipt,
  allowsSending,
  type Party,
  type Policy,
  matches as selectsLabels,
  types,
} from "../network-policy.ts";
import { clusterRuleMatches, isSubject } from "./cluster-policy.ts";
import { type Entity, entitiesAt, labelsOfNamespace, SERVICE_ACCOUNT } from "./entities.ts";
import { remembered, isMisunderstood as wrong } from "./misunderstood.ts";
import type { CalicoPolicy, ClusterPolicy, Direction, GlobalPolicy, Packet, Rule, World } from "./objects.ts";
import { PROTOCOLS, ruleMatches } from "./rule.ts";
import { selects } from "./selector.ts";

export type Action = Rule["action"];

export interface AnyPolicy {
  kind: string;
  name: string;
  namespace?: string;
  tier: string;
  /** Infinity: none, which is last. */
  order: number;
  types: readonly Direction[];
  /** What host endpoints do with it; "normal" is the only one that pods know. */
  stage: "normal" | "preDNAT" | "doNotTrack";
  applyOnForward: boolean;
  appliesTo(entity: Entity): boolean;
  /** The actions of the rules that match, in order. */
  actions(direction: Direction, packet: Packet): Action[];
}

export function policiesOf(world: World): AnyPolicy[] {
  return remembered(world, "policies", () => [
    ...world.networkPolicies.map((policy) => kubernetesPolicy(world, policy)),
    ...world.clusterNetworkPolicies.map((policy) => clusterPolicy(world, policy)),
    ...world.calicoNetworkPolicies.map((policy) => calicoPolicy(world, policy)),
    ...world.globalNetworkPolicies.map((policy) => globalPolicy(world, policy)),
  ]);
}

function calicoPolicy(world: World, { metadata, spec }: CalicoPolicy): AnyPolicy {
  const { name, namespace } = metadata;
  return {
    ...common(world, spec, namespace),
    kind: "NetworkPolicy",
    name,
    namespace,
    stage: "normal",
    applyOnForward: false,
    appliesTo: ({ kind, namespace: of, labels }) =>
      kind === "pod" &&
      (of === namespace || wrong("subject selector reaches all namespaces")) &&
      subjectSelects(spec.selector, labels) &&
      (!spec.serviceAccountSelector ||
        wrong("serviceAccountSelector is ignored") ||
        selects(spec.serviceAccountSelector, labels, "pcsa.")),
  };
}

function subjectSelects(selector: string | undefined, labels: Entity["labels"]): boolean {
  return !(wrong("empty selector selects nothing") && !selector) && selects(selector ?? "", labels);
}

/** "namespaceSelector, serviceAccountSelector": with one of them it applies to pods only (globalnetworkpolicyprocessor.go: all() means
 * what has a namespace, or a service account). */
function globalPolicy(world: World, { metadata, spec }: GlobalPolicy): AnyPolicy {
  return {
    ...common(world, spec),
    kind: "GlobalNetworkPolicy",
    name: metadata.name,
    stage: spec.doNotTrack ? "doNotTrack" : spec.preDNAT ? "preDNAT" : "normal",
    applyOnForward: spec.applyOnForward === true,
    appliesTo: ({ kind, namespace, labels }) =>
      kind !== "networkSet" &&
      !(wrong("global policies need a namespace") && kind === "hostEndpoint") &&
      subjectSelects(spec.selector, labels) &&
      (!spec.namespaceSelector ||
        wrong("namespaceSelector of subjects is ignored") ||
        selects(spec.namespaceSelector, labels, "pcns.", namespace !== undefined)) &&
      (!spec.serviceAccountSelector ||
        wrong("serviceAccountSelector is ignored") ||
        selects(spec.serviceAccountSelector, labels, "pcsa.", labels[SERVICE_ACCOUNT] !== undefined)),
  };
}

function common(world: World, spec: CalicoPolicy["spec"], namespace?: string) {
  return {
    tier: spec.tier ?? "default",
    order: spec.order ?? Number.POSITIVE_INFINITY,
    types: calicoTypes(spec),
    actions: (direction: Direction, packet: Packet) =>
      (spec[direction] ?? [])
        .filter((rule) => ruleMatches(rule, { world, direction, ...(namespace && { namespace }) }, packet))
        .map(({ action }) => action),
  };
}

/** "types: [Ingress] if there are no egress rules, [Egress] if there are egress and no ingress rules, otherwise both". */
function calicoTypes({ types: given = [], ingress = [], egress = [] }: CalicoPolicy["spec"]): Direction[] {
  if (given.length > 0) return given.map((type) => type.toLowerCase() as Direction);
  if (wrong("types are both")) return ["ingress", "egress"];
  if (wrong("types as in Kubernetes")) return egress.length > 0 ? ["ingress", "egress"] : ["ingress"];
  if (wrong("types from ingress only") && ingress.length + egress.length === 0) return [];
  if (egress.length === 0) return ["ingress"];
  return ingress.length === 0 ? ["egress"] : ["ingress", "egress"];
}

/** Kubernetes' policies are in the tier default with the order 1000 (Calico: conversion.go). */
function kubernetesPolicy(world: World, policy: Policy): AnyPolicy {
  const { name, namespace } = policy.metadata;
  return {
    kind: "KubernetesNetworkPolicy",
    name: `knp.default.${name}`,
    namespace,
    tier: "default",
    order: wrong("Kubernetes comes last") ? 2_000_000 : 1000,
    types: types(policy).map((type) => type.toLowerCase() as Direction),
    stage: "normal",
    applyOnForward: false,
    appliesTo: (entity) =>
      entity.kind === "pod" && entity.namespace === namespace && selectsLabels(policy.spec.podSelector, entity.labels),
    actions: (direction, packet) => {
      const traffic = {
        from: party(world, packet.source),
        to: party(world, packet.destination),
        protocol: Object.entries(PROTOCOLS).find(([, number]) => number === packet.protocol)?.[0] ?? "",
        port: packet.destinationPort ?? 0,
      };
      const allows = direction === "ingress" ? allowsReceipt : allowsSending;
      if (allows(policy, traffic)) return ["Allow"];
      return wrong("Kubernetes isolates at once") ? ["Deny"] : [];
    },
  };
}

function party(world: World, address: string): Party {
  const pod = entitiesAt(world, address).find(({ kind }) => kind === "pod");
  if (!pod) return { address };
  return {
    address,
    ...(pod.namespace !== undefined && { namespace: pod.namespace }),
    namespaceLabels: labelsOfNamespace(pod),
    labels: pod.labels,
    ports: pod.ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
  };
}

const ACTIONS = { Accept: "Allow", Deny: "Deny", Pass: "Pass" } as const;

/** "priority: lower values come first". The tiers are Calico's kube-admin and kube-baseline (clusternetworkpolicy.go). */
function clusterPolicy(world: World, policy: ClusterPolicy): AnyPolicy {
  const { metadata, spec } = policy;
  return {
    kind: "ClusterNetworkPolicy",
    name: metadata.name,
    tier: spec.tier === "Admin" ? "kube-admin" : "kube-baseline",
    order: wrong("priority backwards") ? -spec.priority : spec.priority,
    types: [...(spec.ingress?.length ? ["ingress" as const] : []), ...(spec.egress?.length ? ["egress" as const] : [])],
    stage: "normal",
    applyOnForward: false,
    appliesTo: (entity) => isSubject(policy, entity),
    actions: (direction, packet) =>
      (spec[direction] ?? [])
        .filter((rule) => clusterRuleMatches(rule, world, direction, packet))
        .map(({ action }) => ACTIONS[action]),
  };
}
