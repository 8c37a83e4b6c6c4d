import { z } from "zod";
import { oneOf } from "./fields.ts";
import { named } from "./policies.ts";

// projectcalico.org/v3 Tier.

/** Tiers that always exist and cannot be changed. */
export const WELL_KNOWN_TIERS = {
  "kube-admin": { order: 1_000, defaultAction: "Pass" },
  default: { order: 1_000_000, defaultAction: "Deny" },
  "kube-baseline": { order: 10_000_000, defaultAction: "Pass" },
} as const;

export const tier = z
  .object({
    metadata: named("tier"),
    spec: z
      .strictObject({ order: z.number().nullish(), defaultAction: oneOf("Deny", "Pass").nullish() })
      .nullish()
      .transform((spec) => ({
        /** Absent: after every tier that has one. */
        order: spec?.order ?? undefined,
        /** What happens to traffic that a policy of the tier applies to and no rule matches. */
        defaultAction: spec?.defaultAction ?? ("Deny" as const),
      })),
  })
  .superRefine(({ metadata, spec }, context) => {
    if (!Object.hasOwn(WELL_KNOWN_TIERS, metadata.name)) return;
    const fixed = WELL_KNOWN_TIERS[metadata.name as keyof typeof WELL_KNOWN_TIERS];
    for (const field of ["order", "defaultAction"] as const)
      if (spec[field] !== fixed[field])
        context.addIssue({
          code: "custom",
          path: ["spec", field],
          message: `is ${fixed[field]} for the tier ${metadata.name}`,
        });
  });
export type Tier = z.output<typeof tier>;
