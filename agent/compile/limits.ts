import type { Room } from "../../model/service/limits.ts";
import { maps } from "../kernel/layout.gen.ts";

/** The limits for all Services and host ports on one node: the maps' sizes; half of it for ranges, so that new lists
 * fit next to the old ones. */
export const NODE_ROOM: Room = {
  frontends: maps.frontends.maxEntries,
  endpoints: maps.slots.maxEntries,
  backends: maps.backends.maxEntries,
  sourceRanges: maps.sourceRanges.maxEntries / 2,
};

/** Entries of the map `policies` that all policies in force on one node may need: half of it, so that the new ones find
 * room beside the old ones while endpoints move from one to the other. */
export const NODE_POLICY_ENTRIES = maps.policies.maxEntries / 2;

/** What one node has room for. */
export interface NodeLimits {
  readonly services: Room;
  readonly policyEntries: number;
}

export const NODE_LIMITS: NodeLimits = { services: NODE_ROOM, policyEntries: NODE_POLICY_ENTRIES };
