import type { CalicoPolicySpec, GlobalPolicySpec } from "../objects/calico-policy/policies.ts";
import type { CalicoRule } from "../objects/calico-policy/rule.ts";
import type { Metadata } from "../objects/metadata.ts";
import { subjectSelector } from "./calico-endpoints.ts";
import { CalicoRules, type Side } from "./calico-rules.ts";
import { type CompiledPolicy, type PolicyRule, rulesText, type Stage } from "./compiled-policy.ts";
import { closed, overLimit } from "./limits.ts";
import type { ServicePorts } from "./service-words.ts";

/** projectcalico.org/v3 NetworkPolicy or GlobalNetworkPolicy */
export interface CalicoPolicy {
  readonly metadata: Pick<Metadata, "name" | "namespace">;
  readonly spec: CalicoPolicySpec & Partial<GlobalPolicySpec>;
}

/** Calico's semantics: the documentation of both kinds, and where that leaves something open, upstream's converter
 * (libcalico-go, updateprocessors) and sorter (felix/calc/policy_sorter.go). */
export function compileCalicoPolicy(
  kind: "NetworkPolicy" | "GlobalNetworkPolicy",
  policy: CalicoPolicy,
  services: ServicePorts,
): CompiledPolicy {
  const { metadata, spec } = policy;
  const { name } = metadata;
  const namespace = kind === "NetworkPolicy" ? (metadata.namespace ?? "default") : undefined;
  // Kubernetes has a kind of that name too.
  const owner = `${kind === "NetworkPolicy" ? "Calico NetworkPolicy " : "GlobalNetworkPolicy "}${namespace === undefined ? name : `${namespace}/${name}`}`;
  const { tier, types } = spec;
  const rules = new CalicoRules(namespace, services);
  const compile = (list: readonly CalicoRule[], side: Side): PolicyRule[] =>
    list.flatMap((rule, place) => rules.compile(rule, side, `tier ${tier}, ${owner}, ${side} rule ${place + 1}`));
  const directions = {
    ...(types.includes("Ingress") && { ingress: compile(spec.ingress, "ingress") }),
    ...(types.includes("Egress") && { egress: compile(spec.egress, "egress") }),
  };
  const compiled: CompiledPolicy = {
    kind,
    owner,
    ...(namespace !== undefined && { namespace }),
    name,
    tier,
    order: spec.order ?? Number.POSITIVE_INFINITY,
    rank: [name, namespace ?? "", kind].join("\0"),
    stage: stageOf(spec),
    applyOnForward: spec.applyOnForward === true,
    isAskedOfNode: true,
    subject: subjectSelector(spec, namespace),
    ...directions,
    selectors: [...rules.selectors.values()],
    ownSelectors: rules.ownSelectors,
    services: servicesOf(policy),
    text: "",
    closed: false,
    problems: [],
  };
  const over = overLimit(compiled);
  return over ? closed(compiled, over) : { ...compiled, text: rulesText(directions) };
}

function stageOf({ doNotTrack, preDNAT }: CalicoPolicy["spec"]): Stage {
  if (doNotTrack) return "doNotTrack";
  return preDNAT ? "preDNAT" : "normal";
}

/** The Services that the policy's rules name: "shop/web". */
export function servicesOf({ metadata, spec }: CalicoPolicy): readonly string[] {
  const peers = [...spec.ingress.map(({ source }) => source), ...spec.egress.map(({ destination }) => destination)];
  const named = peers.flatMap(({ services }) => services ?? []);
  return [...new Set(named.map(({ name, namespace }) => `${namespace ?? metadata.namespace ?? "default"}/${name}`))];
}
