import { z } from "zod";
import { metadata } from "../metadata.ts";
import { networkPolicySpec } from "../networking.ts";
import { oneOf, reports } from "./fields.ts";
import { commonFields, globalFields, globalPolicyOf, named, policyOf } from "./policies.ts";
import { type Fault, hostFieldFaults } from "./rule-faults.ts";

// projectcalico.org/v3 StagedNetworkPolicy, StagedGlobalNetworkPolicy and StagedKubernetesNetworkPolicy: they show the effect of a policy
// that would be set or deleted. They change no verdict.

const stagedAction = oneOf("Set", "Delete", "Learn", "Ignore").nullish();

const namespaced = z.strictObject({ stagedAction, ...commonFields(true) });
const everywhere = z.strictObject({ stagedAction, ...globalFields });
const kubernetes = z.strictObject({ stagedAction, ...networkPolicySpec.shape });

/** A policy that is to be deleted says nothing of itself but its tier. */
function deletionFaults({ stagedAction, tier: _, ...others }: Readonly<Record<string, unknown>>): Fault[] {
  if (stagedAction !== "Delete") return [];
  const said = Object.entries(others).filter(
    ([, value]) => value != null && !(Array.isArray(value) && value.length === 0),
  );
  return said.map(([field]) => ({ path: [field], message: "must be left out beside stagedAction Delete" }));
}

export const stagedNetworkPolicy = z.object({
  metadata: named("policy"),
  spec: namespaced
    .superRefine((spec, context) => reports(context, deletionFaults(spec)))
    .transform((spec) => ({ stagedAction: spec.stagedAction ?? ("Set" as const), ...policyOf(spec) })),
});
export type StagedNetworkPolicy = z.output<typeof stagedNetworkPolicy>;

export const stagedGlobalNetworkPolicy = z.object({
  metadata: named("globalPolicy"),
  spec: everywhere
    .superRefine((spec, context) => reports(context, [...deletionFaults(spec), ...hostFieldFaults(spec)]))
    .transform((spec) => ({ stagedAction: spec.stagedAction ?? ("Set" as const), ...globalPolicyOf(spec) })),
});
export type StagedGlobalNetworkPolicy = z.output<typeof stagedGlobalNetworkPolicy>;

export const stagedKubernetesNetworkPolicy = z.object({
  metadata,
  spec: kubernetes
    .superRefine(({ podSelector, ...spec }, context) => {
      const selects = Object.values(podSelector ?? {}).some((part) => Object.keys(part ?? {}).length > 0);
      reports(context, deletionFaults({ ...spec, ...(selects && { podSelector }) }));
    })
    .transform((spec) => ({ ...spec, stagedAction: spec.stagedAction ?? ("Set" as const) })),
});
export type StagedKubernetesNetworkPolicy = z.output<typeof stagedKubernetesNetworkPolicy>;
