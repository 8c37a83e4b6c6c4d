import { maps } from "../kernel/layout.gen.ts";

/** What all lists of ranges may hold together: half of the map, so that the new ones find room beside the old ones. */
export const NODE_SOURCE_RANGES = maps.sourceRanges.maxEntries / 2;

/** Entries of the map `policies` that all policies in force on one node may need: half of it, so that the new ones find
 * room beside the old ones while endpoints move from one to the other. */
export const NODE_POLICY_ENTRIES = maps.policies.maxEntries / 2;
