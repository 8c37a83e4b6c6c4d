import { SCTP } from "../../../model/protocol.ts";
import type { NumberContents } from "../../compile/desired.ts";
import {
  ConnectionFlag,
  Direction,
  Encapsulation,
  type Event,
  EventKind,
  hookNames,
  outcomeNames,
  PolicyVerdict,
  type Tuple,
  tunnelKindNames,
} from "../../kernel/layout.gen.ts";
import { judgedChain } from "../explain/judged-chain.ts";
import { addressAndPort, protocol } from "../inspect/words.ts";
import { wordsOf } from "../outcome-words.ts";
import type { Names } from "./names.ts";

/** One step of a traced packet at one node. One JSON line of `inspect trace`. */
export interface Step {
  /** Nanoseconds of the node's monotonic clock, to order the steps of one computer. */
  readonly at: string;
  readonly node: string;
  /** The program: from_uplink, to_workload … */
  readonly hook: string;
  /** arrived, known, chosen, judged, wrapped, finished. */
  readonly step: string;
  readonly text: string;
  /** For the last step: the outcome's name. */
  readonly outcome?: string;
}

export interface StepContext {
  readonly node: string;
  readonly names: Names;
  /** The names of the numbers of policies and identities. */
  readonly contents: () => NumberContents;
  readonly deviceName: (ifindex: number) => string;
}

const STEPS: ReadonlyMap<number, string> = new Map([
  [EventKind.ARRIVED, "arrived"],
  [EventKind.KNOWN, "known"],
  [EventKind.CHOSEN, "chosen"],
  [EventKind.JUDGED, "judged"],
  [EventKind.WRAPPED, "wrapped"],
  [EventKind.FINISHED, "finished"],
]);

export function isStep({ kind }: Event): boolean {
  return STEPS.has(kind);
}

export function stepOf(event: Event, context: StepContext): Step {
  const outcome = event.kind === EventKind.FINISHED ? outcomeNames.get(event.outcome) : undefined;
  return {
    at: String(event.time),
    node: context.node,
    hook: hookNames.get(event.hook) ?? String(event.hook),
    step: STEPS.get(event.kind) ?? String(event.kind),
    text: textOf(event, context),
    ...(outcome && { outcome }),
  };
}

function textOf(event: Event, { names, deviceName, contents }: StepContext): string {
  const owner = (address: string) => names.owner(address);
  const end = (address: string, port: number) => {
    const name = owner(address);
    return name ? `${addressAndPort(address, port)} (${name})` : addressAndPort(address, port);
  };
  const node = () => owner(event.node) ?? event.node;
  switch (event.kind) {
    case EventKind.ARRIVED:
      return arrived(event, names, deviceName);
    case EventKind.KNOWN:
      return connectionText(event, end, node);
    case EventKind.CHOSEN:
      return event.backend === 0
        ? "the service has no usable backend"
        : `backend ${end(event.address, event.port)}${event.node === "::" ? "" : ` on ${node()}`}`;
    case EventKind.JUDGED:
      return verdictText(event, names, contents());
    case EventKind.WRAPPED:
      return `encapsulated in ${event.encapsulation === Encapsulation.IPIP ? "IPIP" : "VXLAN"} for ${node()}, kind ${(tunnelKindNames.get(event.flags) ?? "?").replaceAll("_", " ")}`;
    default:
      return finished(event, end);
  }
}

type Ended = (address: string, port: number) => string;

function arrived(
  { packet, tcpFlags, interface: ifindex, node, hook: _hook }: Event,
  names: Names,
  deviceName: (ifindex: number) => string,
): string {
  const service = names.service(packet.destination, packet.destinationPort, packet.protocol);
  const to = service ? ` (service ${service})` : nameInBrackets(names, packet.destination);
  if (packet.source === "::")
    return `a socket requests ${protocol(packet.protocol)} ${addressAndPort(packet.destination, packet.destinationPort)}${to}`;
  const kind = [protocol(packet.protocol), ...kindNames(packet.protocol, tcpFlags)].join(" ");
  const from = nameInBrackets(names, packet.source);
  const by = node === "::" ? "" : `, encapsulated by ${names.owner(node) ?? node}`;
  return `${kind} ${tupleText(packet, from, to)} on ${deviceName(ifindex)}${by}`;
}

function nameInBrackets(names: Names, address: string): string {
  const name = names.owner(address);
  return name ? ` (${name})` : "";
}

function connectionText({ flags, address, port }: Event, end: Ended, node: () => string): string {
  if (flags & ConnectionFlag.FORWARDED) return `known connection: its backend is on ${node()}`;
  const translated = (flags & ConnectionFlag.TRANSLATED) !== 0;
  if ((flags & ConnectionFlag.REPLY) === 0)
    return translated ? `known connection: destination becomes ${end(address, port)}` : "known connection";
  const source = translated ? `: source becomes ${end(address, port)}` : "";
  if (flags & ConnectionFlag.VIA_ENTRY) return `reply${source}, back through ${node()}`;
  return flags & ConnectionFlag.DIRECT_RETURN ? `reply${source}, straight to the client` : `reply${source}`;
}

function verdictText(event: Event, names: Names, contents: NumberContents): string {
  const { direction, verdict, policy, identity, rule, packet } = event;
  const ingress = direction === Direction.INGRESS;
  const [subject, peer] = ingress ? [packet.destination, packet.source] : [packet.source, packet.destination];
  const whose = `${ingress ? "ingress" : "egress"} of ${names.owner(subject) ?? subject}`;
  if (verdict === 0)
    return policy === 0 ? `${whose}: no policy selects it` : `${whose}: its own node is always allowed`;
  const who = `${peer} [${names.identity(identity)}]`;
  const chain = judgedChain(contents, event) ?? [];
  const tiers = chain.map((one) => `tier ${one.tier}: ${one.verdict}, by ${one.reason}`);
  if (verdict === PolicyVerdict.DENY) {
    const passed = tiers.slice(0, chain.filter((one) => one.verdict === "pass").length);
    return `${whose}: DENIED for ${who}: ${[...passed, names.rule(policy, direction, rule)].join("; ")}`;
  }
  const why = chain.length > 0 ? tiers.join("; ") : names.policy(policy);
  return `${whose}: ${verdict === PolicyVerdict.NEXT ? "not decided" : "allowed"} for ${who} by ${why}`;
}

function finished({ outcome, packet }: Event, end: Ended): string {
  const name = outcomeNames.get(outcome) ?? String(outcome);
  const { verdict, text } = wordsOf(name);
  const leaves = `${addressAndPort(packet.source, packet.sourcePort)} > ${end(packet.destination, packet.destinationPort)}`;
  if (verdict === "passed") return `${text}: ${leaves}`;
  return `${verdict.toUpperCase()} (${name}): ${text}`;
}

function tupleText(packet: Tuple, from: string, to: string): string {
  return `${addressAndPort(packet.source, packet.sourcePort)}${from} > ${addressAndPort(packet.destination, packet.destinationPort)}${to}`;
}

/** For TCP its flags; for SCTP the meaning of its first chunk (bpf/net/sctp.h). */
function kindNames(protocol: number, flags: number): string[] {
  if (protocol === SCTP) {
    const names: Record<number, string> = { 2: "INIT", 18: "INIT ACK", 4: "ABORT", 1: "SHUTDOWN", 17: "SHUTDOWN" };
    return [flags & 0x80 ? "COOKIE ACK" : (names[flags & 0x17] ?? "")].filter(Boolean);
  }
  return [
    [0x02, "SYN"],
    [0x10, "ACK"],
    [0x01, "FIN"],
    [0x04, "RST"],
  ].flatMap(([bit, name]) => (flags & (bit as number) ? [name as string] : []));
}
