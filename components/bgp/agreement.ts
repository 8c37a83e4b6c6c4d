import { at, type InputPlace, isLater, refuse } from "../refusal/refusal.ts";
import type { BgpPeerSpec } from "./args.ts";

/** Refuses two AS numbers for one peer of the same nodes: a session has one AS number, and the agents would ignore the other object. */
export function requireAgreement(place: InputPlace, peers: readonly BgpPeerSpec[]): void {
  const known = new Map<string, { index: number; asNumber: unknown }>();
  for (const [index, { peerIP, asNumber, node, nodeSelector }] of peers.entries()) {
    if ([peerIP, asNumber, node, nodeSelector].some(isLater) || peerIP === undefined) continue;
    const session = JSON.stringify([peerIP, node, nodeSelector]);
    const other = known.get(session);
    if (other && other.asNumber !== asNumber)
      refuse(
        at(at(place, index), "asNumber"),
        asNumber,
        `${other.asNumber}, as in bgpPeers[${other.index}] with the same peerIP, or another peerIP`,
      );
    known.set(session, other ?? { index, asNumber });
  }
}
