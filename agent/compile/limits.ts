import type { Room } from "../../model/service/limits.ts";
import { maps } from "../kernel/layout.gen.ts";

/** What one node has room for. */
export interface NodeLimits {
  /** Of all Services and host ports. */
  readonly services: Room;
  /** Entries of the map `policies` that all policies in force may need. */
  readonly policyEntries: number;
}

/** The maps' sizes; half of it for ranges and policies, so that new ones fit next to the old ones. */
export const NODE_LIMITS: NodeLimits = {
  services: {
    frontends: maps.frontends.maxEntries,
    endpoints: maps.slots.maxEntries,
    backends: maps.backends.maxEntries,
    sourceRanges: maps.sourceRanges.maxEntries / 2,
  },
  policyEntries: maps.policies.maxEntries / 2,
};
