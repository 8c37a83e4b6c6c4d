// How many of the connections in the tables are live: no process removes the others (docs/decisions/0003). Reads bytes, not objects,
// because a table may have a million entries.

import type { Steps } from "../../model/steps.ts";
import { KernelMap } from "./kernel-map.ts";
import {
  ConnectionFlag,
  connection,
  maps,
  SECONDS_ICMP,
  SECONDS_TCP_CLOSED,
  SECONDS_TCP_ESTABLISHED,
  SECONDS_TCP_ONE_FIN,
  SECONDS_TCP_OPENING,
  SECONDS_UDP,
  SECONDS_UDP_ANSWERED,
  tuple,
} from "./layout.gen.ts";
import { openMap, type Pins } from "./pins.ts";

const [TCP, UDP, SCTP] = [6, 17, 132];
/** struct tuple ends with the protocol and three bytes of padding; struct connection begins with last_seen, packets, flags. */
const PROTOCOL_AT = tuple.size - 4;
const FLAGS_AT = 16;

export interface LiveConnections {
  readonly proven: number;
  readonly unproven: number;
  readonly halfOpen: number;
}

/** @param now ns, of the clock that the packet path reads (CLOCK_MONOTONIC) */
export function* liveConnections(pins: Pins, now: () => bigint): Steps<LiveConnections> {
  const counts = { proven: 0, unproven: 0, halfOpen: 0 };
  for (const definition of [maps.connections, maps.halfOpen]) {
    const map = new KernelMap(definition, openMap(pins, definition.name));
    try {
      for (const { keys, values, count } of map.batches()) {
        const at = Number(now() / 1_000_000n);
        for (let index = 0; index < count; index++) {
          const protocol = keys.getUint8(index * tuple.size + PROTOCOL_AT);
          const flags = values.getUint32(index * connection.size + FLAGS_AT, true);
          const seen = Number(values.getBigInt64(index * connection.size, true) / 1_000_000n);
          if (at - seen >= timeoutOf(protocol, flags) * 1000) continue;
          if (definition === maps.halfOpen) counts.halfOpen++;
          else if (isProven(protocol, flags)) counts.proven++;
          else counts.unproven++;
        }
        yield;
      }
    } finally {
      map.close();
    }
  }
  return counts;
}

const hasHandshake = (protocol: number) => protocol === TCP || protocol === SCTP;

/** is_proven() of bpf/connection/place.h */
const isProven = (protocol: number, flags: number) => hasHandshake(protocol) && !(flags & ConnectionFlag.FORWARDED);

/** connection_timeout() of bpf/connection/live.h, in seconds. @param flags enum connection_flag */
export function timeoutOf(protocol: number, flags: number): number {
  if (protocol === UDP)
    return flags & (ConnectionFlag.ANSWERED | ConnectionFlag.FORWARDED) ? SECONDS_UDP_ANSWERED : SECONDS_UDP;
  if (!hasHandshake(protocol)) return SECONDS_ICMP;
  if (flags & (ConnectionFlag.CLOSED | ConnectionFlag.RESET)) return SECONDS_TCP_CLOSED;
  if (flags & ConnectionFlag.SYN) return SECONDS_TCP_OPENING;
  return flags & ConnectionFlag.FIN ? SECONDS_TCP_ONE_FIN : SECONDS_TCP_ESTABLISHED;
}
