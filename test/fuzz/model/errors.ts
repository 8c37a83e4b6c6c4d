// ICMP errors: along the flow that they name, small, to its end.
import { LARGEST_ERROR } from "./answer.ts";
import { type Flow, flowOf, keyOf, reversed } from "./flow.ts";
import type { Memory } from "./memory.ts";
import type { Objection, Passage } from "./model.ts";
import { localPod } from "./places.ts";
import { innerOf } from "./seen.ts";
import { isMartian, isOwn } from "./sources.ts";

export function judgeError(passage: Passage, memory: Memory): Objection[] {
  const { arrival, before, after, outcome } = passage;
  if (outcome === "pass_to_stack" && isOwn(before.destination)) return [];
  if (arrival.from === "stack" && arrival.isOwn && isOwn(before.source) && outcome !== "return_external") return [];
  const [inner, translated] = [innerOf(before), innerOf(after)].map((reading) => reading && flowOf(reading));
  if (!inner || !translated) return objection("an error whose inner packet cannot be read was let through");
  if (Math.min(before.totalLength, before.available) > LARGEST_ERROR[before.family])
    return objection(`an error of ${before.totalLength} bytes was let through`);
  const wrong = wrongEnds(passage, inner, translated) ?? wrongFlow(passage, inner, translated, memory);
  return wrong ? objection(wrong) : [];
}

const objection = (why: string): Objection[] => [{ rule: "error", why }];

/** Sender and receiver, of the error and of the packet inside. */
function wrongEnds({ arrival, before, after, outcome }: Passage, inner: Flow, translated: Flow): string | undefined {
  if (inner.source !== before.destination)
    return `an error about a packet of ${inner.source} went to ${before.destination}`;
  if (translated.source !== after.destination)
    return `an error about a packet of ${translated.source} came out for ${after.destination}`;
  const isTurned = before.source === inner.destination;
  if (after.source !== before.source && !(isTurned && after.source === translated.destination))
    return `its source ${before.source} became ${after.source}`;
  const neverLeft = localPod(inner.destination) !== undefined || inner.destination.startsWith("10.244.");
  if (arrival.from === "wire" && neverLeft) return `an error from outside is about a packet to ${inner.destination}`;
  if (arrival.from === "tunnel" && arrival.kind === "return" && !mayReturnFrom(before.source, inner))
    return `${arrival.node} returned an error of ${before.source}`;
  if (arrival.from === "pod" && inner.destination !== before.source)
    return `${arrival.pod} speaks of a packet to ${inner.destination}`;
  if (outcome === "to_endpoint" && !localPod(after.destination)) return `${after.destination} is no pod of this node`;
  return undefined;
}

/** From the client's service or from a router, not from a workload or this node. */
function mayReturnFrom(source: string, inner: Flow): boolean {
  return source === inner.destination || !(isMartian(source) || /^10\.24[45]\./.test(source));
}

/** A known flow that takes that path. */
function wrongFlow({ arrival, outcome, wrappedFor }: Passage, inner: Flow, translated: Flow, memory: Memory) {
  if (arrival.from === "tunnel" && arrival.kind === "return") {
    if (memory.forwardedTo(inner)?.includes(arrival.node)) return undefined;
    return `${keyOf(inner)} was not forwarded to ${arrival.node}`;
  }
  if (outcome === "return_forwarded") return "what was not wrapped as a return became one";
  if (outcome === "forward_service") {
    const nodes = memory.forwardedTo(reversed(inner));
    if (!nodes) return `nothing was forwarded that ${keyOf(inner)} belongs to`;
    return wrappedFor === undefined || nodes.includes(wrappedFor) ? undefined : `it was wrapped for ${wrappedFor}`;
  }
  if (outcome === "to_endpoint" || outcome === "return_external")
    return memory.isKnown(translated) ? undefined : `no pod here sent ${keyOf(translated)}`;
  if (arrival.from === "pod")
    return memory.isKnown(inner) ? undefined : `${arrival.pod} was never given ${keyOf(inner)}`;
  if (/^(to_network|to_overlay)$/.test(outcome) && !memory.isKnown(inner) && !memory.isBounced(reversed(inner)))
    return `an error from elsewhere left again as ${outcome}`;
  return undefined;
}
