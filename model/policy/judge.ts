import { type Judgement, judgeRules, type NumericPort, type NumericRule, type PortRange } from "./judgement.ts";
import { RuleIndex } from "./rule-index.ts";
import { type Decision, OPEN, type PortMatch, type Rule, type Tier } from "./rules.ts";

/** The peer about which the rules are asked: everything about it that a rule can distinguish. */
export interface Peer {
  readonly selectors: ReadonlySet<string>;
  readonly cidrs: ReadonlySet<string>;
  /** Numbers of the peer's named ports, by `portName`, or by `hostPortName`. Resolves names in `ports` of egress rules and in `sourcePorts` of ingress rules. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A peer that nothing distinguishes. */
export const ANYBODY: Peer = { selectors: new Set(), cidrs: new Set(), ports: new Map() };

export function portName(protocol: number, name: string): string {
  return `${name}/${protocol}`;
}

/** For a host endpoint as a peer: Kubernetes' policies name ports of pods only. */
export function hostPortName(protocol: number, name: string): string {
  return `host ${portName(protocol, name)}`;
}

/** The number of a port with this name, if there is one. */
export function portNumber(
  { protocol, name, isAlsoOfHosts }: Extract<PortMatch, { name: string }>,
  ports: Peer["ports"],
): number | undefined {
  return ports.get(portName(protocol, name)) ?? (isAlsoOfHosts && ports.get(hostPortName(protocol, name)));
}

/** The judgement about one port of one protocol. */
export function decisionAt(judgement: Judgement, protocol: number, port: number, sourcePort?: number): Decision {
  const found = rangeAt(judgement.protocols.get(protocol) ?? [], port);
  if (!found) return judgement.others;
  if (sourcePort === undefined || !found.sources) return found;
  return rangeAt(found.sources, sourcePort) ?? found;
}

function rangeAt<R extends Pick<PortRange, "first" | "last">>(ranges: readonly R[], port: number): R | undefined {
  return ranges.find(({ first, last }) => first <= port && port <= last);
}

/** Evaluates the tiers for every protocol and port at once. For one peer: code that asks about many peers makes a Judge. */
export function judge(tiers: readonly Tier[], peer: Peer, afterwards = OPEN): Judgement {
  return new Judge(tiers, afterwards).judge(peer);
}

/** Judges peers by an index from what a peer matches to the rules that name it. A peer costs what it matches, however many rules there
 * are, and peers that the same rules name share one judgement, the same object. */
export class Judge {
  readonly #tiers: readonly (Tier & { readonly index: RuleIndex })[];
  readonly #afterwards: Decision;
  readonly #known = new Map<string, Judgement>();

  /** @param afterwards what holds after the last tier */
  constructor(tiers: readonly Tier[], afterwards: Decision) {
    this.#tiers = tiers.map((tier) => ({ ...tier, index: new RuleIndex(tier.rules) }));
    this.#afterwards = afterwards;
  }

  judge(peer: Peer): Judgement {
    const relevant = this.#tiers.map((tier) => ({ tier, ...tier.index.rulesFor(peer) }));
    const ports = [...peer.ports].map(([name, number]) => `${name}=${number}`).sort();
    const key = [...relevant.map(({ text }) => text), ports].join("|");
    let judgement = this.#known.get(key);
    if (!judgement) {
      const tiers = relevant.map(({ tier, places }) => ({
        rules: places.map((place) => resolved(tier.rules[place] as Rule, peer)),
        end: tier.otherwise === "deny" ? ({ verdict: "deny", reason: tier.reason } as const) : undefined,
      }));
      judgement = judgeRules(tiers, this.#afterwards);
      this.#known.set(key, judgement);
    }
    return judgement;
  }
}

/** The rule with the numbers of the peer's ports. A name that the peer has no port of matches nothing. */
export function resolved(
  { verdict, reason, ports, notPorts, sourcePorts, notSourcePorts }: Rule,
  peer: Peer,
): NumericRule {
  const numeric = (matches: readonly PortMatch[] | undefined) =>
    matches?.flatMap((match): NumericPort[] => {
      if ("first" in match) return [match];
      const number = portNumber(match, peer.ports);
      return number === undefined ? [] : [{ protocol: match.protocol, first: number, last: number }];
    });
  return {
    verdict,
    reason,
    ports: numeric(ports),
    notPorts: numeric(notPorts) ?? [],
    sourcePorts: numeric(sourcePorts),
    notSourcePorts: numeric(notSourcePorts) ?? [],
  };
}
