import { type Connection, ConnectionFlag, type Tuple } from "../../kernel/layout.gen.ts";
import type { MapStores } from "../../kernel/map-store.ts";
import { isReportedElsewhere, type OpenedFlow } from "./observe.ts";

type Tables = { readonly [M in "connections" | "halfOpen"]: Pick<MapStores[M], "read" | "lookup"> };

/** A connection that had packets recently. */
export interface LiveConnection {
  readonly flow: OpenedFlow;
  /** In this direction. */
  readonly packets: number;
  readonly isReply: boolean;
  /** When its last packet passed; ns of the kernel's monotonic clock. */
  readonly lastSeen: bigint;
}

/** Connections with packets since `since`, ns of the kernel's monotonic clock, one by one: both directions of each. What was open
 * before the log began, and openings whose event was lost, are seen here. Those that only another node judges are left out. */
export function* liveConnections(
  { connections, halfOpen }: Tables,
  since: bigint,
): Generator<LiveConnection | undefined> {
  for (const table of [connections, halfOpen]) {
    for (const [tuple, connection] of table.read()) {
      const { flags, lastSeen } = connection;
      const counts = lastSeen >= since && !isReportedElsewhere(flags) && !(flags & ConnectionFlag.JUDGED_LATER);
      // A yield for each entry: the caller decides when to do other work.
      yield counts
        ? {
            flow: flowOf(tuple, connection),
            packets: Number(connection.packets),
            isReply: (flags & ConnectionFlag.REPLY) !== 0,
            lastSeen,
          }
        : undefined;
    }
  }
}

/** The flow that a packet belongs to, by the connection table; undefined: it has no entry there. */
export function flowOfPacket({ connections, halfOpen }: Tables, packet: Tuple): OpenedFlow | undefined {
  const known = connections.lookup(packet) ?? halfOpen.lookup(packet);
  return known && flowOf(packet, known);
}

// The same as flow_of_connection (policy/judge.h), with the address that the client used.
function flowOf(tuple: Tuple, { flags, address, port, node }: Connection): OpenedFlow {
  const translated = (flags & ConnectionFlag.TRANSLATED) !== 0;
  const { protocol } = tuple;
  if (flags & ConnectionFlag.REPLY) {
    const client = flags & ConnectionFlag.MASQUERADED ? node : tuple.destination;
    const flow = { client, server: tuple.source, port: tuple.sourcePort, protocol };
    const moved = translated && (address !== tuple.source || port !== tuple.sourcePort);
    return moved ? { ...flow, used: { destination: address, destinationPort: port } } : flow;
  }
  const moved = translated && (address !== tuple.destination || port !== tuple.destinationPort);
  const flow = { client: tuple.source, server: translated ? address : tuple.destination, port, protocol };
  return moved ? { ...flow, used: tuple } : { ...flow, port: translated ? port : tuple.destinationPort };
}
