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

/** The ports of datagrams in fragments: only the first carries them. No program learns them from one that it cannot read or drops. */
export class FragmentMemory {
  readonly #flows = new Map<string, Flow>();

  /** The flow of a packet, also of a later fragment whose first fragment was seen. */
  flowOf(ip: Seen): Flow | undefined {
    return ip.fragmentOffset > 0 ? this.known(ip) : flowOf(ip);
  }

  see(ip: Seen): void {
    const flow = ip.moreFragments && ip.fragmentOffset === 0 ? flowOf(ip) : undefined;
    if (flow && !isUnreadable(ip) && !isMalformedSctp(ip)) this.#flows.set(datagramOf(ip), flow);
  }

  /** Of the datagram that it is a fragment of. */
  known(ip: Seen): Flow | undefined {
    return this.#flows.get(datagramOf(ip));
  }
}

function datagramOf({ family, source, destination, protocol, identification }: Seen): string {
  // A later fragment of IPv6 may name another protocol (RFC 8200, 4.5).
  return `${source}>${destination} ${family === "IPv6" ? "" : protocol} ${identification}`;
}

const [SCTP, INIT, INIT_ACK] = [132, 1, 2];
const [TAG_AT, CHUNK_AT, CHUNK_END, ASKED_AT, ASKED_END] = [4, 12, 16, 16, 20];

/** Without a whole chunk header; or an INIT with a tag, an INIT ACK without one, or either that asks for 0 (RFC 9260, 3.3.2, 3.3.3 and 8.5.1). */
function isMalformedSctp({ protocol, payload }: Seen): boolean {
  if (protocol !== SCTP) return false;
  if (payload.length < CHUNK_END) return true;
  const [bytes, chunk] = [Buffer.from(payload), payload[CHUNK_AT]];
  if (chunk !== INIT && chunk !== INIT_ACK) return false;
  if (payload.length < ASKED_END || bytes.readUInt32BE(ASKED_AT) === 0) return true;
  return (chunk === INIT) !== (bytes.readUInt32BE(TAG_AT) === 0);
}
