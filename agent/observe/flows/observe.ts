import type { Address } from "../../../model/address/address.ts";
import type { FlowRecord } from "../../../model/flow/record.ts";
import { ICMP, ICMPV6 } from "../../../model/protocol.ts";
import {
  ConnectionFlag,
  Direction,
  type Event,
  EventKind,
  type Outcome,
  outcomeNames,
  type Tuple,
} from "../../kernel/layout.gen.ts";
import type { Names } from "../events/names.ts";
import { protocol as protocolText } from "../inspect/words.ts";
import type { Ends, Outside } from "./ends.ts";
import { withKey } from "./ends.ts";
import type { NamedEnd, Observation } from "./flow-table.ts";

/** A flow in the direction of the end that opened it, after translation. */
export interface OpenedFlow {
  readonly client: Address;
  readonly server: Address;
  readonly port: number;
  readonly protocol: number;
  /** The address that the client used, if the flow was translated. */
  readonly used?: Pick<Tuple, "destination" | "destinationPort">;
  /** Whether another node has sent it on to here; absent: that is not known. */
  readonly isFromEntry?: boolean;
  /** Absent: any. */
  readonly sourcePort?: number;
}

export interface ObservingParts {
  /** This node's name. */
  readonly node: string;
  readonly ends: Ends;
  readonly names: Pick<Names, "service" | "rule">;
  /** The flow of a connection, from one of its packets. */
  readonly flowOf: (packet: Tuple) => OpenedFlow | undefined;
}

const UNSET = "::";

/** Whether this node only sends the connection on, and the backend's node will report it. */
export function isReportedElsewhere(flags: number): boolean {
  return (flags & ConnectionFlag.FORWARDED) !== 0 && (flags & ConnectionFlag.MASQUERADED) === 0;
}

/** Whether a connection opened, and policies are asked about it here. */
export function opensHere({ kind, flags }: Event): boolean {
  // kube-proxy has not chosen a backend yet: the connection opens again where it leaves the stack.
  return kind === EventKind.OPENED && !isReportedElsewhere(flags) && !(flags & ConnectionFlag.JUDGED_LATER);
}

/** Whether policies are asked about a connection here although its backend's node reports it. */
export function isSentOn({ kind, flags }: Event): boolean {
  return kind === EventKind.OPENED && isReportedElsewhere(flags) && !(flags & ConnectionFlag.JUDGED_LATER);
}

/** Turns the packet path's events into entries of the flow log; undefined for events that are not about a flow. */
export function observe(event: Event, time: number, parts: ObservingParts, outside: Outside): Observation | undefined {
  if (event.kind === EventKind.OPENED) {
    if (!opensHere(event)) return undefined;
    return { ...described(opened(event), "allowed", undefined, parts, outside), connections: 1, time };
  }
  if (event.kind !== EventKind.REFUSED || event.packet.source === UNSET) return undefined;
  const reason = outcomeNames.get(event.outcome as Outcome) ?? String(event.outcome);
  const denied = reason === "drop_policy_ingress" || reason === "drop_policy_egress";
  const isKnown = event.address !== UNSET;
  const flow = (isKnown ? undefined : parts.flowOf(event.packet)) ?? opened(event);
  const direction = reason === "drop_policy_egress" ? Direction.EGRESS : Direction.INGRESS;
  return {
    ...described(flow, denied ? "denied" : "refused", reason, parts, outside),
    ...(denied && { policy: () => parts.names.rule(event.policy, direction, event.rule) }),
    packetsRefused: 1,
    time,
  };
}

/** The flow of an event that reports an opening or a refusal. */
export function opened({ packet, address, port, node, flags }: Event): OpenedFlow {
  const { source: client, destination, destinationPort, protocol } = packet;
  // For a flow that this node sends on, or masquerades, `node` is another node.
  const isFromEntry = node !== UNSET && !(flags & (ConnectionFlag.FORWARDED | ConnectionFlag.MASQUERADED));
  if (address === UNSET || (address === destination && port === destinationPort))
    return { client, server: destination, port: destinationPort, protocol, isFromEntry };
  return { client, server: address, port, protocol, used: packet, isFromEntry };
}

/** @param number the port; for ICMP type << 8 | code */
export function flowTarget(protocol: number, number: number): Pick<FlowRecord, "protocol" | "port" | "icmp"> {
  const isIcmp = protocol === ICMP || protocol === ICMPV6;
  return {
    protocol: protocolText(protocol),
    port: isIcmp ? 0 : number,
    ...(isIcmp && { icmp: { type: number >> 8, code: number & 0xff } }),
  };
}

/** Which ends of a flow are on this node. */
export function placeOf(node: string, ends: Pick<Ends, "isOn">, client: Address, server: Address): FlowRecord["at"] {
  const [source, destination] = [ends.isOn(node, client), ends.isOn(node, server)];
  if (source) return destination ? "both" : "source";
  return destination ? "destination" : "transit";
}

/** The text of a flow under which the table adds it up. */
export function described(
  { client, server, port: number, protocol, used }: OpenedFlow,
  verdict: Observation["verdict"],
  reason: string | undefined,
  { node, ends, names }: Pick<ObservingParts, "node" | "ends" | "names">,
  outside: Outside,
): Omit<Observation, "time"> {
  const { icmp: message, ...target } = flowTarget(protocol, number);
  // A packet that was refused for another reason than a policy may be an answer, whose number is its identifier.
  const icmp = message && verdict !== "refused" ? message : undefined;
  const service = used ? names.service(used.destination, used.destinationPort, protocol) : undefined;
  // Refused before a backend was chosen.
  const asked = !used && verdict !== "allowed" ? names.service(server, number, protocol) : undefined;
  const rest = `${icmp ? number : target.port} ${protocol} ${verdict} ${reason ?? ""}`;
  const toInside = asked ? withKey({ kind: "service", name: asked }) : ends.inside(server);
  const fromInside = ends.inside(client);
  const from: NamedEnd = fromInside ?? outside.end(client, `to ${toInside?.key ?? "outside"} ${rest}`);
  const to: NamedEnd = toInside ?? outside.end(server, `from ${fromInside?.key ?? "outside"} ${rest}`);
  return {
    from,
    to,
    at: placeOf(node, ends, client, server),
    ...target,
    ...(icmp && { icmp }),
    verdict,
    service,
    reason,
  };
}
