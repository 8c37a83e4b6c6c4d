import type { Room } from "../../model/service/limits.ts";
import { maps } from "../kernel/layout.gen.ts";

/** What all Services and host ports may hold on one node: what the maps have room for; of ranges half of it, so that the new lists
 * find room beside the old ones. */
export const NODE_ROOM: Room = {
  frontends: maps.frontends.maxEntries,
  endpoints: maps.slots.maxEntries,
  backends: maps.backends.maxEntries,
  sourceRanges: maps.sourceRanges.maxEntries / 2,
};

/** Entries of the map `policies` that all policies in force on one node may need: half of it, so that the new ones find
 * room beside the old ones while endpoints move from one to the other. */
export const NODE_POLICY_ENTRIES = maps.policies.maxEntries / 2;
