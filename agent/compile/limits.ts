import type { Room } from "../../model/service/limits.ts";
import { maps } from "../kernel/layout.gen.ts";

/** What one node has room for. */
export interface NodeLimits {
  /** Of all Services and host ports. */
  readonly services: Room;
  /** Entries of the map `policies` that all policies in force may need. */
  readonly policyEntries: number;
  /** Blocks of addresses that all policies in force may tell from others. */
  readonly policyBlocks: number;
  /** Comparisons of their selectors with the labels of pods, network sets and nodes (model/policy/peer-counts.ts). */
  readonly policyComparisons: number;
}

/** Of selectors that all mean their peers, and where each peer is told from all others, they cost about 170 MB and 2 s of CPU time. */
const COMPARISONS = 4_194_304;

interface Sized {
  readonly definition: { readonly maxEntries: number };
}
type Sizes = Readonly<Record<"frontends" | "slots" | "backends" | "sourceRanges" | "policies" | "locations", Sized>>;

/** From the maps' sizes; half of it for ranges and policies, so that new ones fit next to the old ones, and for blocks half of the half:
 * no owner of a namespace takes the room of the addresses of pods and nodes. */
export function nodeLimits(stores: Sizes): NodeLimits {
  const size = (name: keyof Sizes) => stores[name].definition.maxEntries;
  return {
    services: {
      frontends: size("frontends"),
      endpoints: size("slots"),
      backends: size("backends"),
      sourceRanges: size("sourceRanges") / 2,
    },
    policyEntries: size("policies") / 2,
    policyBlocks: size("locations") / 4,
    policyComparisons: COMPARISONS,
  };
}

const { frontends, slots, backends, sourceRanges, policies, locations } = maps;

/** With the sizes that bpf/ gives the maps. */
export const NODE_LIMITS = nodeLimits({
  ...{ frontends: { definition: frontends }, slots: { definition: slots }, backends: { definition: backends } },
  ...{ sourceRanges: { definition: sourceRanges }, policies: { definition: policies } },
  locations: { definition: locations },
});
