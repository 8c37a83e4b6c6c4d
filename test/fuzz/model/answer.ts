// What a node may answer in place of sending a client's packet on: an ICMP error to its sender, about it.

import { nodes } from "../../packets/cluster.ts";
import { innerOf, type Seen, type SeenFrame } from "./seen.ts";

/** RFC 1812, 4.3.2.3; RFC 4443, 2.4 c. */
export const LARGEST_ERROR = { IPv4: 576, IPv6: 1280 } as const;

export const isAnswer = (outcome: string): boolean => /^answer_(expired|too_big)$/.test(outcome);

/** What is wrong with such an answer; undefined: nothing. `came`: the client's frame. */
export function wrongAnswer(outcome: string, came: SeenFrame, answer: SeenFrame): string | undefined {
  const [before, after] = [came.ip, answer.ip];
  if (!before || !after) return "no packet that can be read was answered";
  const about = innerOf(after);
  const isExpired = outcome === "answer_expired";
  if (before.icmp && !before.ports) return "an ICMP error was answered with one";
  if (isExpired && before.ttl > 1) return `its time to live was ${before.ttl}`;
  if (`${after.icmp?.type}/${after.icmp?.code}` !== (isExpired ? "11/0" : "3/4")) return "it is another error";
  if (isToMasquerade(before, after, about)) return undefined;
  if (!isAbout(before, about)) return "the answer is not about it";
  if (after.destination !== before.source || answer.destinationMac !== came.sourceMac)
    return `it was answered to ${after.destination} at ${answer.destinationMac}`;
  if (after.source !== (isExpired ? nodes.master : before.destination)) return `it was answered by ${after.source}`;
  const length = after.payload.length + after.headerLength;
  return length > LARGEST_ERROR[after.family] ? `the answer has ${length} bytes` : undefined;
}

/** About a pod's packet that this node has masqueraded: to the node itself, whose program at the uplink tells the pod (MARK_OWN_ERROR). */
function isToMasquerade(packet: Seen, answer: Seen, inner: Seen | undefined): boolean {
  const { master } = nodes;
  if (answer.destination !== master || answer.source !== master || inner?.source !== master) return false;
  return inner.destination === packet.destination && inner.protocol === packet.protocol;
}

function isAbout(packet: Seen, inner: Seen | undefined): boolean {
  if (inner?.source !== packet.source || inner.destination !== packet.destination) return false;
  return inner.protocol === packet.protocol && inner.ports?.source === packet.ports?.source;
}
