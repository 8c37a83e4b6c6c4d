import type { PeerMatch, PortMatch, Rule, RuleVerdict, Tier, Verdict } from "./rules.ts";

/** Whom the rules are asked about: everything about a peer that a rule can tell. */
export interface Peer {
  readonly selectors: ReadonlySet<string>;
  readonly cidrs: ReadonlySet<string>;
  /** Numbers of the peer's named ports, by `portName`. Resolves ports of egress rules. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A peer that nothing distinguishes. */
export const ANYBODY: Peer = { selectors: new Set(), cidrs: new Set(), ports: new Map() };

export function portName(protocol: number, name: string): string {
  return `${name}/${protocol}`;
}

/** Ports [first, last] of one protocol share a verdict. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly verdict: Verdict;
}

/** The complete answer for one peer: ranges that cover 0..65535 for each protocol some rule names, and one verdict for
 * all other protocols. */
export interface Judgement {
  readonly protocols: ReadonlyMap<number, readonly PortRange[]>;
  readonly others: Verdict;
}

/** Asks the tiers for every protocol and port at once. */
export function judge(tiers: readonly Tier[], peer: Peer): Judgement {
  const relevant = tiers.map(({ rules, otherwise }) => ({
    otherwise,
    rules: rules.filter((rule) => matchesPeer(rule, peer)).map((rule) => resolved(rule, peer)),
  }));
  const matches = relevant.flatMap(({ rules }) => rules.flatMap((rule) => rule.ports ?? []));
  const protocols = new Map<number, readonly PortRange[]>();
  for (const protocol of new Set(matches.map((match) => match.protocol))) {
    protocols.set(protocol, ranges(relevant, protocol, matches));
  }
  return { protocols, others: decide(relevant, undefined, 0) };
}

type NumericPort = Extract<PortMatch, { first: number }>;
interface NumericRule {
  readonly verdict: RuleVerdict;
  readonly ports?: readonly NumericPort[];
}
interface NumericTier {
  readonly rules: readonly NumericRule[];
  readonly otherwise: "deny" | "pass";
}

function ranges(tiers: readonly NumericTier[], protocol: number, matches: readonly NumericPort[]): PortRange[] {
  const starts = new Set([0]);
  for (const match of matches) {
    if (match.protocol !== protocol) continue;
    starts.add(match.first);
    if (match.last < 65535) starts.add(match.last + 1);
  }
  const found: { first: number; last: number; verdict: Verdict }[] = [];
  for (const first of [...starts].sort((a, b) => a - b)) {
    const verdict = decide(tiers, protocol, first);
    const previous = found.at(-1);
    if (previous) previous.last = first - 1;
    if (previous?.verdict !== verdict) found.push({ first, last: 65535, verdict });
    else previous.last = 65535;
  }
  return found;
}

/** Tier by tier, the first rule that matches; `protocol` undefined stands for one that no rule names. */
function decide(tiers: readonly NumericTier[], protocol: number | undefined, port: number): Verdict {
  for (const { rules, otherwise } of tiers) {
    const rule = rules.find(
      ({ ports }) =>
        !ports || ports.some((match) => match.protocol === protocol && match.first <= port && port <= match.last),
    );
    const verdict = rule?.verdict ?? otherwise;
    if (verdict !== "pass") return verdict;
  }
  return "deny";
}

function matchesPeer({ peers }: Rule, peer: Peer): boolean {
  return !peers || peers.some((match) => isPeer(match, peer));
}

function isPeer(match: PeerMatch, { selectors, cidrs }: Peer): boolean {
  if ("selector" in match) return selectors.has(match.selector);
  return cidrs.has(match.cidr) && !match.except.some((cidr) => cidrs.has(cidr));
}

/** A name that the peer has no port of matches nothing. */
function resolved(rule: Rule, peer: Peer): NumericRule {
  const ports = rule.ports?.flatMap((match): NumericPort[] => {
    if ("first" in match) return [match];
    const number = peer.ports.get(portName(match.protocol, match.name));
    return number === undefined ? [] : [{ protocol: match.protocol, first: number, last: number }];
  });
  return { verdict: rule.verdict, ...(ports && { ports }) };
}
