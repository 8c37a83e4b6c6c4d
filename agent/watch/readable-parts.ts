import { z } from "zod";
import { type NetworkSet, networkSet } from "../../model/objects/calico-policy/network-set.ts";
import { type Tier, WELL_KNOWN_TIERS } from "../../model/objects/calico-policy/tier.ts";
import { metadata } from "../../model/objects/metadata.ts";

const written = z.object({ metadata, spec: z.record(z.string(), z.unknown()).nullish() });

/** The networks that can be read of a set: a rule that denies them may stand before one that allows everything. */
export function readableNetworks(object: unknown): NetworkSet | undefined {
  const read = written.safeParse(object).data;
  if (!read) return undefined;
  const all = Array.isArray(read.spec?.nets) ? (read.spec.nets as unknown[]) : [];
  const nets = all.flatMap((net) => networkSet.shape.spec.safeParse({ nets: [net] }).data?.nets ?? []);
  return { metadata: read.metadata, spec: { nets: [...new Set(nets)] } };
}

/** A tier ends in Deny unless its end can be read, and is the last one unless its order can. */
export function closedTier(object: unknown): Tier | undefined {
  const read = written.safeParse(object).data;
  if (!read) return undefined;
  const { name } = read.metadata;
  if (Object.hasOwn(WELL_KNOWN_TIERS, name)) {
    return { metadata: read.metadata, spec: WELL_KNOWN_TIERS[name as keyof typeof WELL_KNOWN_TIERS] };
  }
  const { order, defaultAction } = read.spec ?? {};
  return {
    metadata: read.metadata,
    spec: {
      order: typeof order === "number" ? order : undefined,
      defaultAction: defaultAction === "Pass" ? "Pass" : "Deny",
    },
  };
}
