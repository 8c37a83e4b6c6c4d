import { z } from "zod";
import { metadata } from "../metadata.ts";
import { objectName, oneOf, refused, reports, selector, unique } from "./fields.ts";
import { rules } from "./rule.ts";
import { hostFieldFaults } from "./rule-faults.ts";
import { nameFault } from "./values.ts";

// projectcalico.org/v3 NetworkPolicy and GlobalNetworkPolicy.

export type PolicyDirection = "Ingress" | "Egress";

const types = unique(oneOf("Ingress", "Egress")).min(1, { error: "allowed are Ingress and Egress, or left out" });

/** The fields that policies of every kind have. */
export function commonFields(ownNamespace: boolean) {
  return {
    tier: objectName.nullish(),
    order: z.number().nullish(),
    selector: selector(),
    serviceAccountSelector: selector(),
    types: types.nullish(),
    ingress: rules("ingress", ownNamespace),
    egress: rules("egress", ownNamespace),
    /** Hints to Calico, which change no verdict. */
    performanceHints: unique(oneOf("AssumeNeededOnEveryNode")).nullish(),
  };
}

const flag = z.boolean().nullish();

export const globalFields = {
  ...commonFields(false),
  namespaceSelector: selector(),
  doNotTrack: flag,
  preDNAT: flag,
  applyOnForward: flag,
};

export const namespacedSpec = z.strictObject(commonFields(true));
export const globalSpec = z.strictObject(globalFields);

/** Metadata whose name Calico accepts. */
export const named = (kind: Parameters<typeof nameFault>[1]) =>
  metadata.extend({ name: refused(z.string().min(1), (name) => nameFault(name, kind)) });

export const calicoNetworkPolicy = z.object({
  metadata: named("policy"),
  spec: namespacedSpec.nullish().transform((spec) => policyOf(spec ?? NOTHING)),
});
export type CalicoNetworkPolicy = z.output<typeof calicoNetworkPolicy>;

export const globalNetworkPolicy = z.object({
  metadata: named("globalPolicy"),
  spec: globalSpec
    .superRefine((spec, context) => reports(context, hostFieldFaults(spec)))
    .nullish()
    .transform((spec) => globalPolicyOf(spec ?? NOTHING)),
});
export type GlobalNetworkPolicy = z.output<typeof globalNetworkPolicy>;

type NamespacedSpec = z.output<typeof namespacedSpec>;
type GlobalSpec = z.output<typeof globalSpec>;
const NOTHING: NamespacedSpec = { ingress: [], egress: [], selector: undefined, serviceAccountSelector: undefined };

/** A policy with Calico's defaults. */
export type CalicoPolicySpec = ReturnType<typeof policyOf>;
export type GlobalPolicySpec = ReturnType<typeof globalPolicyOf>;

export function policyOf({ tier, order, selector, serviceAccountSelector, types, ingress, egress }: NamespacedSpec) {
  return {
    tier: tier ?? "default",
    /** Absent: after every policy of the tier that has one. */
    order: order ?? undefined,
    selector: selector ?? "all()",
    serviceAccountSelector,
    /** Directions to which the policy applies; rules of another direction have no effect. */
    types: types ?? directionsOf(ingress, egress),
    ingress,
    egress,
  };
}

export function globalPolicyOf(spec: Partial<GlobalSpec> & NamespacedSpec) {
  return {
    ...policyOf(spec),
    namespaceSelector: spec.namespaceSelector,
    doNotTrack: spec.doNotTrack ?? false,
    preDNAT: spec.preDNAT ?? false,
    applyOnForward: spec.applyOnForward ?? false,
  };
}

/** Egress where there are egress rules, ingress where there are ingress rules or no egress rules. */
export function directionsOf(ingress: readonly unknown[], egress: readonly unknown[]): PolicyDirection[] {
  const both: PolicyDirection[] = ingress.length > 0 || egress.length === 0 ? ["Ingress"] : [];
  return egress.length > 0 ? [...both, "Egress"] : both;
}
