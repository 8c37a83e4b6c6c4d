import type { Address } from "../../../model/address/address.ts";
import { firstFew } from "../../../model/first-few.ts";
import type { Judged } from "../../../model/flow/judged.ts";
import type { NumberContents } from "../../compile/desired.ts";
import {
  ConnectionFlag,
  Direction,
  type Event,
  EventKind,
  Outcome,
  outcomeNames,
  PolicyVerdict,
} from "../../kernel/layout.gen.ts";
import { judgedChain } from "../explain/judged-chain.ts";
import { protocol } from "../inspect/words.ts";
import { wordsOf } from "../outcome-words.ts";
import type { Names } from "./names.ts";

/** One end of a flow. */
export interface End {
  readonly address: string;
  readonly port: number;
  /** "pod default/web", "node master", "service default/web:http"; absent: outside the cluster. */
  readonly name?: string;
  /** The workload that the pod belongs to, if it has another name. */
  readonly workload?: string;
}

/** What happened at one node: a connection opened, or a packet refused. One JSON line of `inspect flows`. */
export interface Flow {
  /** RFC 3339. */
  readonly time: string;
  readonly node: string;
  readonly protocol: string;
  readonly verdict: "opened" | "dropped" | "rejected" | "logged";
  /** For a refused packet: the outcome's name and its meaning. `text` also says what happened to a packet that a Log rule matched. */
  readonly reason?: string;
  readonly text?: string;
  /** For a refusal by a policy: tier, policy and rule, or the default that ended it. Of what is logged, the Log rules that matched. */
  readonly rule?: string;
  /** Absent for a socket that has no address yet. */
  readonly client?: End;
  /** What the client addressed. */
  readonly to: End;
  /** The frontend's service; absent: an ordinary address. */
  readonly service?: string;
  /** The destination after translation, if it differs. */
  readonly backend?: End;
  /** The path of the reply; absent: the reverse path. */
  readonly reply?: "direct" | "via entry node" | "via this node";
  /** For a connection over two nodes: where it entered, or where its backend is. Each node reports it once. */
  readonly role?: "entry" | "backend";
  /** The node it was forwarded to, or the one that forwarded it. */
  readonly peer?: string;
  /** What staged policies would decide, where that differs. */
  readonly staged?: Judged;
  /** Seen at a socket, before the first packet. */
  readonly socket?: true;
}

export interface FlowContext {
  readonly node: string;
  readonly names: Names;
  /** The workload of the pod with this address. */
  readonly workload?: (address: Address) => string | undefined;
  /** The names of the numbers of policies and identities. */
  readonly contents: () => NumberContents;
  /** Nanoseconds of the kernel's monotonic clock → milliseconds since 1970. */
  readonly wallClock: (time: bigint) => number;
}

const DIRECTIONS: ReadonlyMap<number, number> = new Map([
  [Outcome.DROP_POLICY_INGRESS, Direction.INGRESS],
  [Outcome.DROP_POLICY_EGRESS, Direction.EGRESS],
]);

export function isFlow({ kind }: Event): boolean {
  return (
    kind === EventKind.OPENED || kind === EventKind.REFUSED || kind === EventKind.CONNECTED || kind === EventKind.LOGGED
  );
}

export function flowOf(event: Event, { node, names, workload, contents, wallClock }: FlowContext): Flow {
  const { packet, kind } = event;
  const named = (address: string, port: number): End => {
    const name = names.owner(address);
    const copies = name?.startsWith("pod ") ? workload?.(address) : undefined;
    return {
      address,
      port,
      ...(name && { name }),
      ...(copies && !name?.endsWith(`/${copies}`) && { workload: copies }),
    };
  };
  const service = names.service(packet.destination, packet.destinationPort, packet.protocol);
  const moved =
    event.address !== "::" && (event.address !== packet.destination || event.port !== packet.destinationPort);
  const reply = kind === EventKind.OPENED ? replyPath(event.flags) : undefined;
  // Then the event's node is the address that replaces the client's.
  const isMasqueraded = kind === EventKind.OPENED && (event.flags & ConnectionFlag.MASQUERADED) !== 0;
  return {
    time: new Date(wallClock(event.time)).toISOString(),
    node,
    protocol: protocol(packet.protocol),
    ...verdictOf(event, names, contents),
    ...(packet.source !== "::" && { client: named(packet.source, packet.sourcePort) }),
    to: service
      ? { address: packet.destination, port: packet.destinationPort, name: `service ${service}` }
      : named(packet.destination, packet.destinationPort),
    ...(service && { service }),
    ...(moved && { backend: named(event.address, event.port) }),
    ...(reply && { reply, role: event.flags & ConnectionFlag.FORWARDED ? ("entry" as const) : ("backend" as const) }),
    ...(event.node !== "::" && !isMasqueraded && { peer: names.owner(event.node) ?? event.node }),
    ...(packet.source === "::" && { socket: true as const }),
  };
}

function verdictOf(
  event: Event,
  names: Names,
  contents: FlowContext["contents"],
): Pick<Flow, "verdict" | "reason" | "text" | "rule"> {
  const { kind, outcome, policy, rule } = event;
  if (kind === EventKind.LOGGED)
    return { verdict: "logged", text: logged(event, names), rule: loggedBy(event, names, contents()) };
  if (kind !== EventKind.REFUSED) return { verdict: "opened" };
  const reason = outcomeNames.get(outcome) ?? String(outcome);
  const { verdict, text } = wordsOf(reason);
  const direction = DIRECTIONS.get(outcome);
  return {
    verdict: verdict === "rejected" ? "rejected" : "dropped",
    reason,
    text,
    ...(direction !== undefined && { rule: names.rule(policy, direction, rule) }),
  };
}

/** By the policies in force; by the event's number, if these have changed meanwhile. */
function loggedBy(event: Event, names: Names, contents: NumberContents): string {
  const logs = judgedChain(contents, event)?.flatMap((tier) => tier.logs) ?? [];
  if (logs.length > 0) return firstFew(logs);
  return event.rule === 0 ? "a rule that is not in force any more" : names.log(event.rule);
}

function logged({ direction, verdict, policy, rule, packet }: Event, names: Names): string {
  const ingress = direction === Direction.INGRESS;
  const subject = ingress ? packet.destination : packet.source;
  const whose = `${ingress ? "ingress" : "egress"} of ${names.owner(subject) ?? subject}`;
  if (verdict === PolicyVerdict.NEXT) return `${whose} not decided by ${names.policy(policy)}`;
  if (verdict === PolicyVerdict.ALLOW) return `${whose} allowed by ${names.policy(policy)}`;
  return `${whose} denied: ${names.rule(policy, direction, rule)}`;
}

function replyPath(flags: number): Flow["reply"] {
  if (flags & ConnectionFlag.DIRECT_RETURN) return "direct";
  if (flags & ConnectionFlag.VIA_ENTRY) return "via entry node";
  return flags & ConnectionFlag.FORWARDED ? "via this node" : undefined;
}
