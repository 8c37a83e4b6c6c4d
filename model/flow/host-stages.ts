// What the host endpoints of a node say of a flow that it reports, in the order in which the packet path asks (bpf/policy/stages.h). The log does not
// say by which interface a packet came or went: all that are possible are asked.
import { type Cidr, covers, hostCidr, parseCidr } from "../address/address.ts";
import type { Failsafe } from "../policy/failsafes.ts";
import type { HostDirectory, HostSubject, HostTraffic } from "../policy/host-directory.ts";
import type { Host, HostInterface } from "../policy/hosts.ts";
import type { Decision } from "../policy/rules.ts";
import type { Meeting } from "./decisions.ts";
import type { Judged, JudgedFlow } from "./judged.ts";
import type { FlowEnd } from "./record.ts";
import type { UntoldHosts } from "./untold-hosts.ts";

/** One node's host endpoints, and what decides beside their policies. */
export interface NodeHosts {
  readonly directory: HostDirectory;
  readonly uplinks: readonly HostInterface[];
  readonly failsafes: readonly Failsafe[];
  /** What becomes of what its own pods send to it, after their own policies. */
  readonly toHost: "Accept" | "Return" | "Drop";
  /** Whether packets between pods of different nodes travel in the tunnel. */
  readonly wraps: "always" | "sometimes" | "never";
  /** CIDRs that pods' addresses come from. */
  readonly pools: readonly string[];
  /** The node's labels, which its automatic host endpoint has, are not known. */
  readonly untold?: UntoldHosts;
}

/** undefined: no policy of the endpoint is about this direction. */
type Ask = (
  subject: HostSubject,
  meeting: Meeting,
) => { readonly decisions: readonly Decision[] } | { readonly unknown: string } | undefined;

interface Asked {
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort?: number;
}

/** Hears of each question that is asked. @param isKept its port is fail-safe: what denies it does not count */
export type Heard = (subject: HostSubject, meeting: Meeting, isKept: boolean) => void;

/** One question, to each interface that the flow may pass by. */
interface Stage {
  readonly traffic: HostTraffic;
  readonly at: readonly (Host | undefined)[];
  readonly meetings: readonly Meeting[];
  /** An end is the node itself. */
  readonly isOfNode: boolean;
  /** It may not be asked at all. */
  readonly isOpen?: boolean;
}

/** All that may come of a question. */
interface Outcomes {
  readonly denials: readonly string[];
  readonly allows: boolean;
  /** The next one is asked. */
  readonly goesOn: boolean;
}

const REFUSED_TO_NODE: Judged = { verdict: "denied", reason: "defaultEndpointToHostAction of the node is Drop" };

/** @returns what is said where it comes in and where it leaves, the node's own ends included; undefined: nothing is asked there */
export function atHosts(
  hosts: NodeHosts,
  flow: JudgedFlow,
  asked: Asked,
  ask: Ask,
  heard: Heard = () => {},
): { arrival?: Judged | undefined; departure?: Judged | undefined } {
  const { from, to, at } = flow;
  const [isFromHere, isToHere] = [at === "source" || at === "both", at === "destination" || at === "both"];
  const [isFromNode, isToNode] = [isFromHere && from.kind === "node", isToHere && to.kind === "node"];
  const judge = (stages: readonly Stage[]) => judgeStages(hosts, stages, ask, heard);
  if (at === "both") {
    if (!isToNode || isFromNode || hosts.toHost === "Accept") return {};
    if (hosts.toHost === "Drop") return { arrival: REFUSED_TO_NODE };
    const meetings = [{ direction: "ingress", peer: from, own: to, ...asked } as const];
    return { arrival: judge([{ traffic: "own", at: [hosts.directory.own.others], meetings, isOfNode: true }]) };
  }
  return {
    ...(!isFromHere && { arrival: judge(arriving(hosts, flow, asked, isToNode)) }),
    ...(!isToHere && { departure: judge(leaving(hosts, flow, asked, isFromNode)) }),
  };
}

function arriving(
  hosts: NodeHosts,
  { from, to, at, written, isFromEntry }: JudgedFlow,
  asked: Asked,
  isOfNode: boolean,
) {
  const { port: _, ...rest } = asked;
  const sides = { direction: "ingress", peer: from, ...rest } as const;
  const asWritten = written?.map(
    ({ address, port }): Meeting => ({ ...sides, own: { kind: "network", cidr: hostCidr(address).text }, port }),
  );
  const meeting: Meeting = { ...sides, own: to, port: asked.port };
  const isForService = asWritten !== undefined && at !== "transit";
  const mayBeSentOn = isFromEntry ?? isForService;
  const by = interfacesFor(hosts, from, isOfNode);
  const isWrapped = isFromEntry === true;
  const early = { meetings: asWritten ?? [meeting], isOfNode, isOpen: mayBeSentOn };
  const places = mayBeSentOn ? [...new Set([...by.uplinks, ...by.tunnel, hosts.directory.own.others])] : allHosts(by);
  const stages: Stage[] = [
    { traffic: "doNotTrack", at: by.uplinks, ...early, isOpen: mayBeSentOn || by.tunnel.length > 0 },
    { traffic: "preDNAT", at: allHosts(by), ...early },
  ];
  const last: Stage = { traffic: isOfNode ? "own" : "forwarded", at: places, meetings: [meeting], isOfNode };
  return isWrapped ? [last] : [...stages, last];
}

function leaving(hosts: NodeHosts, { from, to, at, written }: JudgedFlow, asked: Asked, isOfNode: boolean): Stage[] {
  const meetings: Meeting[] = [{ direction: "egress", peer: to, own: from, ...asked }];
  const isSentOn = at === "transit" && written !== undefined;
  const by = isSentOn ? theTunnel(hosts) : interfacesFor(hosts, to, isOfNode);
  const stage = { meetings, isOfNode };
  return [
    // What the node itself sends by its tunnel leaves wrapped: nothing is asked about its packets.
    ...(isOfNode ? [{ traffic: "doNotTrack", at: by.uplinks, ...stage, isOpen: by.tunnel.length > 0 } as const] : []),
    { traffic: isOfNode ? "own" : "forwarded", at: allHosts(by), ...stage },
  ];
}

/** The host endpoints of the interfaces that a flow with an end elsewhere may pass. */
interface Places {
  readonly uplinks: readonly (Host | undefined)[];
  readonly tunnel: readonly (Host | undefined)[];
}

/** @param isOfNode the end here is the node itself, which reaches other nodes unwrapped */
function interfacesFor(hosts: NodeHosts, other: FlowEnd, isOfNode: boolean): Places {
  const isWrapped = other.kind === "pods" || (other.kind === "node" && !isOfNode) ? hosts.wraps : "never";
  const { byInterface, others } = hosts.directory.own;
  return {
    uplinks: isWrapped === "always" ? [] : [...new Set(hosts.uplinks.map((one) => byInterface.get(one) ?? others))],
    tunnel: isWrapped === "never" ? [] : theTunnel(hosts).tunnel,
  };
}

function theTunnel({ directory }: NodeHosts): Places {
  return { uplinks: [], tunnel: [directory.own.others] };
}

function allHosts({ uplinks, tunnel }: Places): readonly (Host | undefined)[] {
  return [...new Set([...uplinks, ...tunnel])];
}

/** The first stage that decides has decided. */
function judgeStages(hosts: NodeHosts, stages: readonly Stage[], ask: Ask, heard: Heard): Judged | undefined {
  const denials: string[] = [];
  let [isAsked, isAllowed] = [false, false];
  for (const stage of stages) {
    const outcomes = outcomesOf(hosts, stage, ask, heard);
    if (!outcomes) continue;
    isAsked = true;
    denials.push(...outcomes.denials);
    isAllowed ||= outcomes.allows;
    if (outcomes.goesOn) continue;
    return inWords(denials, isAllowed);
  }
  return isAsked ? inWords(denials, true) : undefined;
}

function inWords([reason]: readonly string[], isAllowed: boolean): Judged {
  if (reason === undefined) return { verdict: "allowed" };
  return { verdict: isAllowed ? "depends" : "denied", reason };
}

function outcomesOf(hosts: NodeHosts, { traffic, at, meetings, isOfNode, isOpen }: Stage, ask: Ask, heard: Heard) {
  const subjects = [...hosts.directory.subjects.keys()].filter((subject) => subject.traffic === traffic);
  const denials: string[] = [];
  let [isAsked, allows, goesOn] = [false, false, isOpen === true];
  for (const host of at) {
    const subject = subjects.find((one) => one.host === host);
    for (const meeting of meetings) {
      const said = subject && ask(subject, meeting);
      if (!said) {
        goesOn = true;
        continue;
      }
      isAsked = true;
      heard(subject, meeting, isOfNode && keepsOpen(hosts, meeting) === "yes");
      if ("unknown" in said) {
        if (isOfNode && keepsOpen(hosts, meeting) === "yes") allows = true;
        else denials.push(said.unknown);
        goesOn = true;
        continue;
      }
      for (const { verdict, reason, undecided } of said.decisions) {
        const kept = verdict === "deny" && isOfNode ? keepsOpen(hosts, meeting) : "no";
        if (undecided) goesOn = true;
        else if (verdict === "allow" || kept !== "no") allows = true;
        if (verdict === "deny" && kept !== "yes") denials.push(reason ?? "");
      }
    }
  }
  return isAsked ? ({ denials, allows, goesOn } satisfies Outcomes) : undefined;
}

/** Whether it is a fail-safe port, which no policy closes. */
function keepsOpen(hosts: NodeHosts, { direction, protocol, port, peer }: Meeting): "yes" | "for some" | "no" {
  const found = hosts.failsafes.filter(
    (one) => one.direction === direction && one.protocol === protocol && one.port === port,
  );
  const cidrs = cidrsOf(peer, hosts.pools);
  const isKept = (cidr: Cidr) => found.some(({ net }) => !net || covers(net, cidr));
  if (found.some(({ net }) => !net) || (cidrs.length > 0 && cidrs.every(isKept))) return "yes";
  const touches = ({ net }: Failsafe) => cidrs.some((cidr) => net && (covers(net, cidr) || covers(cidr, net)));
  return found.some(touches) ? "for some" : "no";
}

function cidrsOf(end: FlowEnd, pools: readonly string[]): Cidr[] {
  if (end.kind === "network") return [parseCidr(end.cidr)];
  if (end.kind === "node") return end.addresses.map(hostCidr);
  return end.kind === "pods" ? pools.map(parseCidr) : [];
}
