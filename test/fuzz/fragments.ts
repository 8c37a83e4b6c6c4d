// What the programs have kept of first fragments, compared with what the model has: a difference is found where it arises, and not only if a later
// fragment happens to pass because of it.
import { SCTP, TCP, UDP } from "../../model/protocol.ts";
import type { NodeUnderTest } from "../packets/node.ts";
import type { Flow } from "./model/flow.ts";
import type { Model } from "./model/model.ts";
import type { Seen } from "./model/seen.ts";

const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP];

/** What is wrong with the entry for the datagram of which `ip` is a fragment; undefined: nothing, or it is whole. Entries may be missing: the oldest
 * make room. */
export function wrongPorts(node: NodeUnderTest, model: Model, ip: Seen): string | undefined {
  if (!ip.moreFragments && ip.fragmentOffset === 0) return undefined;
  const { raw, family } = ip;
  const entry = node.maps.fragments.lookup({
    source: raw.source,
    destination: raw.destination,
    // IPv4 has 16 bits, the first two of four bytes.
    identification: family === "IPv4" ? (ip.identification << 16) >>> 0 : ip.identification,
    protocol: family === "IPv4" ? raw.protocol : 0,
  });
  const flow = model.flowOfFragments(ip);
  if (!entry || (flow && isSame(entry, flow))) return undefined;
  const kept = `${entry.protocol} ${entry.sourcePort}>${entry.destinationPort}`;
  const known = flow ? `${flow.protocol} ${flow.sourcePort}>${flow.destinationPort}` : "none";
  return `of fragments ${ip.source}>${ip.destination}, identification ${ip.identification}, the programs have kept ${kept}; right is ${known}`;
}

/** ICMP of IPv6 has the number of its twin in the model, and its ports are others than in the programs. */
function isSame(entry: { sourcePort: number; destinationPort: number; protocol: number }, flow: Flow): boolean {
  if (!WITH_PORTS.includes(flow.protocol)) return !WITH_PORTS.includes(entry.protocol);
  const { sourcePort, destinationPort, protocol } = flow;
  return entry.protocol === protocol && entry.sourcePort === sourcePort && entry.destinationPort === destinationPort;
}
