// Random packets against the real programs. Each must have one outcome and an action that this outcome allows; nothing may be
// delivered that the model does not allow, and no packet may leave malformed.
import { meetBoth } from "../packets/card.ts";
import { nodes } from "../packets/cluster.ts";
import {
  type Handling,
  handlings,
  type Meeting,
  type Met,
  type NodeUnderTest,
  ownMac,
  type PacketProgram,
  packetPrograms,
} from "../packets/node.ts";
import { faults } from "../packets/reading.ts";
import { isReasonFor, OK, REDIRECT } from "../packets/verdict.ts";
import { inWords } from "../packets/words.ts";
import { wrongPorts } from "./fragments.ts";
import { Generator, MARK_JUDGE_LATER } from "./generator.ts";
import { isAnswer, wrongAnswer } from "./model/answer.ts";
import { flowOf } from "./model/flow.ts";
import { Model, type Objection } from "./model/model.ts";
import { type Seen, seenFrame } from "./model/seen.ts";
import { isOwn } from "./model/sources.ts";
import { isTakenOff, MARK_OWN_REQUEST, takenOff, unwrapped, WRAPS, wrongEncapsulation } from "./outer.ts";
import { Random } from "./random.ts";

export interface Failure {
  readonly rule: Objection["rule"] | "count" | "verdict" | "card" | "fragments";
  readonly why: string;
  /** Which packet of the run, counted from 0. */
  readonly index: number;
  readonly meeting: Meeting;
  readonly frame: string;
  readonly became: string;
}

export interface Report {
  readonly seed: number;
  readonly packets: Readonly<Record<string, number>>;
  /** By program and outcome. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** By rule; known open issues separately, with the reason. */
  readonly failures: ReadonlyMap<
    string,
    {
      readonly rule: Failure["rule"];
      readonly count: number;
      readonly first: readonly Failure[];
    }
  >;
}

/** In IPv6 too; and where pods' packets are wrapped in IPIP, which only those of IPv4 are. */
const rounds: readonly Handling[] = [
  ...handlings,
  ...handlings.map((handling) => ({ ...handling, family: "IPv6" as const })),
  { ...(handlings[0] as Handling), encapsulation: "IPIP" },
];

const KEPT = 5;

const fuzzedPrograms = packetPrograms;

/** @param packets for each program */
export function campaign(
  node: NodeUnderTest,
  seed: number,
  packets: number,
  say: (line: string) => void = () => undefined,
): Report {
  const found: Findings = { outcomes: new Map(), failures: new Map() };
  node.maps.secrets.update([[0, { low: BigInt(seed), high: 0n }]]);
  const share = Math.ceil(packets / rounds.length);
  for (const [part, handling] of rounds.entries()) {
    const { returnMode, services, family = "IPv4", encapsulation = "VXLAN" } = handling;
    say(`${returnMode}, services ${services ? "translated" : "left to kube-proxy"}, ${family}, ${encapsulation}`);
    node.write(handling);
    node.forget();
    const wanted = Math.max(0, Math.min(share, packets - part * share));
    // Each has other packets.
    round(node, handling, new Random(seed + part), wanted * fuzzedPrograms.length, found, say);
  }
  return { seed, packets: Object.fromEntries(fuzzedPrograms.map((name) => [name, packets])), ...found };
}

interface Findings {
  readonly outcomes: Map<string, number>;
  readonly failures: Map<string, { rule: Failure["rule"]; count: number; first: Failure[] }>;
}

/** One handling. The programs take turns, so that a packet that one lets through is answered at another. */
function round(
  node: NodeUnderTest,
  handling: Handling,
  random: Random,
  packets: number,
  { outcomes, failures }: Findings,
  say: (line: string) => void,
): void {
  const backends = node.maps.backends.entries().map(([id]) => id);
  const generator = new Generator(random, backends, (name) => node.ifindex(name), handling.family ?? "IPv4");
  let model = new Model();
  for (let index = 0; index < packets; index++) {
    const program = fuzzedPrograms[index % fuzzedPrograms.length] as PacketProgram;
    random.begin(index);
    const { meeting, frame } = generator.next(program);
    const { met, differences } = meetBoth(node, frame, meeting);
    for (const outcome of met.outcomes) {
      const key = `${program} ${outcome}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
    }
    const objections = [
      ...examine({ node, handling, model, generator }, meeting, frame, met),
      ...differences.map((why) => ({ rule: "card" as const, why })),
      ...keptOf(node, model, frame),
    ];
    if (objections.length > 0) {
      // A packet that was wrongly let through would be answered, and each answer reported again.
      node.forget();
      model = new Model();
    }
    for (const { rule, why } of objections) {
      const became = inWords(met, program, (id) => node.maps.backends.lookup(id)?.address);
      const failure: Failure = { rule, why, index, meeting, frame: frame.toString("hex"), became };
      const kept = failures.get(rule) ?? { rule, count: 0, first: [] };
      failures.set(rule, kept);
      if (kept.count++ < KEPT) kept.first.push(failure);
    }
    if (index % 500_000 === 499_999) say(`${index + 1} packets`);
  }
}

function keptOf(node: NodeUnderTest, model: Model, frame: Buffer): Pick<Failure, "rule" | "why">[] {
  const { ip } = seenFrame(frame);
  const packets = ip ? [ip, unwrapped(ip)?.ip] : [];
  return packets.flatMap((packet) => {
    const why = packet && wrongPorts(node, model, packet);
    return why ? [{ rule: "fragments", why }] : [];
  });
}

interface Examiner {
  readonly node: NodeUnderTest;
  readonly handling: Handling;
  readonly model: Model;
  readonly generator: Generator;
}

function examine(
  { node, handling, model, generator }: Examiner,
  meeting: Meeting,
  bytes: Buffer,
  met: Met,
): Pick<Failure, "rule" | "why">[] {
  const { program } = meeting;
  const [outcome = "none", ...more] = met.outcomes;
  const isSentByUs = /^to_(uplink|tunnel)$/.test(program) && meeting.mark === 0xebf00001;
  if (isSentByUs)
    return met.action === OK && met.outcomes.length === 0
      ? []
      : [{ rule: "count", why: "what we sent was looked at again" }];
  const before = seenFrame(bytes);
  const isForUs = program !== "from_uplink" || isReceived(before.destinationMac);
  if (met.action === REDIRECT && met.mark === MARK_OWN_REQUEST && met.outcomes.length === 0) {
    if (!before.ip || !isOwnRequest(meeting, before.ip, model.protocolOf(before.ip)))
      return [{ rule: "source", why: "it takes the way of the node's own requests" }];
    model.see(before.ip);
    return [];
  }
  if (program === "to_loopback")
    return met.action === OK && met.outcomes.length === 0 && bytes.equals(met.frame)
      ? []
      : [{ rule: "count", why: `what the node says to itself ended in ${met.outcomes}, action ${met.action}` }];
  if (outcome === "none" || more.length > 0)
    return [{ rule: "count", why: `it ended in ${met.outcomes.length} outcomes: ${met.outcomes}` }];
  if (!isReasonFor(outcome, met.action, program, met.mark))
    return [{ rule: "verdict", why: `action ${met.action} for ${outcome}` }];
  const inner = before.ip && isTakenOff(meeting, outcome, met.frame.length - bytes.length) && unwrapped(before.ip)?.ip;
  if (!/^drop_(?!sctp_fragment)/.test(outcome) && before.ip && isForUs && isRead(meeting)) {
    model.see(before.ip);
    if (inner) model.see(inner);
  }
  if (outcome === "drop_unknown_endpoint" && before.ip && program === "from_workload")
    model.sentToUnused(meeting.at, before.ip);
  if (outcome === "drop_sctp_fragment" && before.ip)
    model.untranslatable(inner || before.ip, program === "from_workload");
  if (outcome.startsWith("reject_") && before.ip && program === "from_workload") model.refused(before.ip);
  if (/^(drop|reject)_/.test(outcome)) return [];
  const after = seenFrame(met.frame);
  const isPassed = outcome === "pass_to_stack";
  if (meeting.tag !== undefined && (program === "from_workload" || (meeting.tag & 0xfff) !== 0)) {
    const isAnothers = isPassed && program === "from_uplink"; // belongs to the VLAN's own interface
    return isAnothers ? [] : [{ rule: "way", why: `a frame of VLAN ${meeting.tag & 0xfff} became ${outcome}` }];
  }
  // A switch may flood it; the stack drops it.
  if (!isForUs) return isPassed ? [] : [{ rule: "way", why: `a frame for ${before.destinationMac} became ${outcome}` }];
  if (!before.ip || !after.ip) {
    const isKernels = isPassed && (program !== "from_workload" || before.type === ARP);
    return isKernels ? [] : [{ rule: "way", why: "it is no packet that can be read" }];
  }
  const [came, left] = [
    takenOff(before, meeting, outcome, met.frame.length - bytes.length, node, handling),
    WRAPS.test(outcome) ? unwrapped(after.ip) : undefined,
  ];
  if (!came) return [{ rule: "way", why: "what it wraps is no packet that can be read" }];
  const inside = left?.ip ?? after.ip;
  const wronglyWrapped = left?.ip && wrongEncapsulation(left.vni, left.ip, outcome, handling);
  if (wronglyWrapped) return [{ rule: "way", why: wronglyWrapped }];
  if (isAnswer(outcome)) {
    model.answered(came.arrival, came.ip);
    const wrong = wrongAnswer(outcome, before, after);
    return [...(wrong ? [{ rule: "answer" as const, why: wrong }] : []), ...formOf(came.ip, after.ip, undefined)];
  }
  const form = formOf(came.ip, inside, left ? after.ip : undefined);
  const found = model.judge({
    arrival: came.arrival,
    before: came.ip,
    after: inside,
    outcome,
    destinationMac: after.destinationMac,
    wrappedFor: left ? after.ip.destination : undefined,
    redirected: met.action === REDIRECT,
    wasJudgedLater: meeting.mark === MARK_JUDGE_LATER,
    judgedLater: met.mark === MARK_JUDGE_LATER,
  });
  const flow = flowOf(inside);
  if (found.length === 0 && flow && outcome !== "pass_to_stack") generator.remember(flow);
  if (found.length === 0 && flow && left && outcome === "forward_service")
    generator.rememberForwarded(flow, after.ip.destination);
  return [...found, ...form];
}

const SCTP = 132;

/** SCTP that the node's own stack made, on its way out. */
function isOwnRequest({ program, ingressIfindex = 0 }: Meeting, ip: Seen, protocol: number): boolean {
  if (ingressIfindex !== 0 || protocol !== SCTP || !isOwn(ip.source)) return false;
  // Nothing that has a port at an address of loopback could answer.
  const isLoopback = [ip.source, ip.destination].some((address) => address.startsWith("127."));
  return program === "to_tunnel" || (/^to_(uplink|loopback)$/.test(program) && !isLoopback);
}

const ARP = 0x0806;

/** Whether a frame with this destination is for this node: its own address, multicast or broadcast. */
const isReceived = (mac: string): boolean => mac === ownMac || (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

/** Whether the program parses the packet: only if it is for this node, and from a permitted sender. Those of WireGuard's device never do. */
function isRead({ program, tag, tunnel }: Meeting): boolean {
  if (program.endsWith("wireguard")) return false;
  if (tag !== undefined) return program !== "from_workload" && (tag & 0xfff) === 0;
  if (tunnel) return tunnel.node === nodes.node || tunnel.node === nodes.far;
  return true;
}

/** A packet that arrives well-formed must leave well-formed. */
function formOf(before: Seen, after: Seen, outer: Seen | undefined): Pick<Failure, "rule" | "why">[] {
  const broken = faults(before.raw).length === 0 ? faults(after.raw) : [];
  const wrong = outer ? faults(outer.raw) : [];
  return [
    ...broken.map((why) => ({ rule: "form" as const, why })),
    ...wrong.map((why) => ({ rule: "form" as const, why: `outer headers: ${why}` })),
  ];
}
