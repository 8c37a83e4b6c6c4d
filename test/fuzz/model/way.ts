// Where a packet may go, regardless of its content: which outcomes fit its origin, and its next hop.
import { covers, hostCidr, parseCidr } from "../../../model/address/address.ts";
import { pools } from "../../packets/cluster.ts";
import type { Passage } from "./model.ts";
import { isNode, isServedBy, localPod, nextHop, wrappedFor as wrappedForWhom } from "./places.ts";
import { isUnreadable } from "./seen.ts";
import { isOwn } from "./sources.ts";

const MAY_END: Record<Passage["arrival"]["from"], RegExp> = {
  pod: /^(pass_to_stack|to_endpoint|to_network|to_overlay|return_direct|return_via_entry|forward_external)$/,
  wire: /^(pass_to_stack|to_endpoint|to_network|to_overlay|forward_service)$/,
  tunnel: /^(pass_to_stack|to_endpoint|to_network|to_overlay|return_forwarded)$/,
  own: /^(pass_to_stack|to_endpoint|to_network|to_overlay|return_direct|return_via_entry)$/,
  stack:
    /^(pass_to_stack|to_endpoint|to_network|to_overlay|return_direct|return_via_entry|return_external|forward_external)$/,
};

const TUNNEL_PORT = 4789;

const ofPods = Object.values(pools).map(parseCidr);
const masqueraded = parseCidr(pools.plain);
const isOfPools = (address: string) => ofPods.some((pool) => covers(pool, hostCidr(address)));

export function wrongWay(passage: Passage): string | undefined {
  const { arrival, before, after, outcome, wrappedFor } = passage;
  if (!MAY_END[arrival.from].test(outcome)) return `what came from ${arrival.from} became ${outcome}`;
  if (after.protocol === 17 && after.ports?.destination === TUNNEL_PORT && !isUnreadable(after)) {
    if (arrival.from === "stack" && arrival.to === "uplink") return "a process of the node wrapped it";
    if (arrival.from !== "stack" && outcome !== "pass_to_stack" && isNode(after.destination))
      return `it is for the tunnel of ${after.destination}`;
  }
  if (outcome === "to_overlay" && wrappedFor !== undefined && wrappedFor !== wrappedForWhom(after.destination))
    return `what is for ${after.destination} was wrapped for ${wrappedFor}`;
  if (outcome === "forward_external") {
    const { source, destination } = after;
    if (!isOwn(source)) return `what left the cluster has the source ${source}`;
    if (!covers(masqueraded, hostCidr(before.source))) return `${before.source} is of no pool with natOutgoing`;
    if (isNode(destination) || isOfPools(destination)) return `${destination} was masqueraded to`;
    if (destination !== before.destination && !isServedBy(before.destination, destination))
      return `what was for ${before.destination} left for ${destination}`;
  }
  if (!passage.redirected) return undefined;
  // By the tunnel's device to the stack, where it ends.
  if (outcome === "pass_to_stack")
    return isOwn(after.destination) ? undefined : `what is for ${after.destination} was given to the node`;
  if (after.ttl !== before.ttl - 1 || after.ttl < 1) return `its time to live was ${before.ttl} and is ${after.ttl}`;
  if (!/^(to_network|return_direct|return_forwarded)$/.test(outcome)) return undefined;
  if (localPod(after.destination)) return `${after.destination} is a pod of this node, and left it as ${outcome}`;
  if (after.destination.startsWith("10.244.") && !isNode(after.destination))
    return `${after.destination} is of the overlay, and left unwrapped`;
  const expected = nextHop(after.destination);
  // The kernel resolves an unknown neighbour: the frame is unchanged.
  if (expected !== undefined && expected !== passage.destinationMac)
    return `what is for ${after.destination} was sent to ${passage.destinationMac}`;
  return undefined;
}
