import type { Reading } from "../../packets/reading.ts";
import { isUnreadable, type Seen } from "./seen.ts";

/** A flow's addresses and ports, as seen at one place. ICMP echo: the requester's identifier, and 7. */
export interface Flow {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** undefined: it shows no ports. */
export function flowOf({ source, destination, protocol, ports }: Reading): Flow | undefined {
  return ports && { source, destination, protocol, sourcePort: ports.source, destinationPort: ports.destination };
}

export function reversed(flow: Flow): Flow {
  return {
    source: flow.destination,
    destination: flow.source,
    protocol: flow.protocol,
    sourcePort: flow.destinationPort,
    destinationPort: flow.sourcePort,
  };
}

export function keyOf({ source, destination, protocol, sourcePort, destinationPort }: Flow): string {
  return `${protocol} ${source}:${sourcePort}>${destination}:${destinationPort}`;
}

/** The ports of datagrams in fragments: only the first carries them. No program learns them from one that it cannot read. */
export class FragmentMemory {
  readonly #flows = new Map<string, Flow>();

  /** The flow of a packet, also of a later fragment whose first fragment was seen. */
  flowOf(ip: Seen): Flow | undefined {
    const protocol = ip.family === "IPv6" ? "" : ip.protocol; // a later fragment may name another (RFC 8200, 4.5)
    const key = `${ip.source}>${ip.destination} ${protocol} ${ip.identification}`;
    if (ip.fragmentOffset > 0) return this.#flows.get(key);
    const flow = flowOf(ip);
    if (flow && ip.moreFragments && !isUnreadable(ip)) this.#flows.set(key, flow);
    return flow;
  }
}
