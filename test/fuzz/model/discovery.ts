// Neighbour and listener discovery (RFC 4861, RFC 2710, RFC 3810): what a pod says on its link, to that link and about itself only.
import type { Objection, Passage } from "./model.ts";
import { localPod } from "./places.ts";
import { isOnLinkOnly, type Seen } from "./seen.ts";
import { isForMany } from "./sources.ts";

const LISTENERS = [130, 131, 132, 143];
const NEIGHBOURS = [133, 134, 135, 136, 137];
/** Messages of routers: advertisement and redirect. */
const OF_ROUTERS = [134, 137];

/** A message that ICMP does not know keeps its type (seen.ts). */
const typeOf = ({ family, icmp }: Seen): number => (family === "IPv6" && icmp ? icmp.type : 0);

export const isDiscovery = (ip: Seen): boolean => [...LISTENERS, ...NEIGHBOURS].includes(typeOf(ip));

export function judgeDiscovery({ before, outcome }: Passage, pod: string): Objection[] {
  const own = localPod(before.source)?.name === pod;
  const wrong =
    outcome !== "pass_to_stack"
      ? `discovery became ${outcome}`
      : !isForMany(before.raw.destination) && !isOnLinkOnly(before.destination)
        ? `discovery left the pod's link, for ${before.destination}`
        : !own && !isOnLinkOnly(before.source) && before.raw.source !== "::"
          ? `${pod} spoke as ${before.source}`
          : OF_ROUTERS.includes(typeOf(before))
            ? `${pod} spoke as a router`
            : undefined;
  return wrong ? [{ rule: "way", why: wrong }] : [];
}
