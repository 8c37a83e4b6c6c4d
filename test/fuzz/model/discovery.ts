// Neighbour and listener discovery (RFC 4861, RFC 2710, RFC 3810): what a pod says on its link, to that link and about itself only.
import { addressOf } from "../../../model/address/address.ts";
import type { Objection, Passage } from "./model.ts";
import { localPod } from "./places.ts";
import { isOnLinkOnly, nameOf, type Seen } from "./seen.ts";
import { isForMany } from "./sources.ts";

const LISTENERS = [130, 131, 132, 143];
const NEIGHBOURS = [133, 134, 135, 136, 137];
/** Messages of routers: advertisement and redirect. */
const OF_ROUTERS = [134, 137];
const ADVERTISEMENT = 136;
const [TARGET_AT, TARGET_END] = [8, 24];

/** A message that ICMP does not know keeps its type (seen.ts). */
const typeOf = ({ family, icmp }: Seen): number => (family === "IPv6" && icmp ? icmp.type : 0);

export const isDiscovery = (ip: Seen): boolean => [...LISTENERS, ...NEIGHBOURS].includes(typeOf(ip));

export function judgeDiscovery({ before, outcome }: Passage, pod: string): Objection[] {
  const why = outcome === "pass_to_stack" ? wrongDiscovery(before, pod) : `discovery became ${outcome}`;
  return why ? [{ rule: "way", why }] : [];
}

function wrongDiscovery(before: Seen, pod: string): string | undefined {
  const { source, destination, raw } = before;
  const isItself = (name: string) => localPod(name)?.name === pod || isOnLinkOnly(name);
  if (!isForMany(raw.destination) && !isOnLinkOnly(destination))
    return `discovery left the pod's link, for ${destination}`;
  if (!isItself(source) && raw.source !== "::") return `${pod} spoke as ${source}`;
  if (OF_ROUTERS.includes(typeOf(before))) return `${pod} spoke as a router`;
  const claimed = claimedBy(before);
  return claimed === undefined || isItself(claimed) ? undefined : `${pod} claimed ${claimed}`;
}

/** The address that a neighbour advertisement is about (RFC 4861, 4.4), by its name. */
function claimedBy(ip: Seen): string | undefined {
  if (typeOf(ip) !== ADVERTISEMENT || ip.raw.payload.length < TARGET_END) return undefined;
  return nameOf(addressOf([...ip.raw.payload.subarray(TARGET_AT, TARGET_END)]));
}
