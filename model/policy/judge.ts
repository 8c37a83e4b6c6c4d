import type { PortMatch, Rule, RuleVerdict, Tier, Verdict } from "./rules.ts";

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

/** What a judgement says of one port of one protocol. */
export function verdictAt({ protocols, others }: Judgement, protocol: number, port: number): Verdict {
  return protocols.get(protocol)?.find(({ first, last }) => first <= port && port <= last)?.verdict ?? others;
}

/** Asks the tiers for every protocol and port at once. For one peer: who asks about many makes a Judge. */
export function judge(tiers: readonly Tier[], peer: Peer): Judgement {
  return new Judge(tiers).judge(peer);
}

/** Judges peers by an index from what a peer matches to the rules that name it: a peer costs what it matches, however
 * many rules there are, and peers that the same rules name share one judgement, the very same object. */
export class Judge {
  readonly #tiers: readonly IndexedTier[];
  readonly #known = new Map<string, Judgement>();

  constructor(tiers: readonly Tier[]) {
    this.#tiers = tiers.map(indexed);
  }

  judge(peer: Peer): Judgement {
    const relevant = this.#tiers.map((tier) => rulesFor(tier, peer));
    const key = relevant.map(({ text }) => text).join("|");
    let judgement = this.#known.get(key);
    if (!judgement) {
      judgement = judgeRules(
        relevant.map(({ places, tier }) => ({
          otherwise: tier.otherwise,
          rules: places.map((place) => resolved(tier.rules[place] as Rule, peer)),
        })),
      );
      this.#known.set(key, judgement);
    }
    return judgement;
  }
}

interface IndexedTier extends Tier {
  /** Of each rule: the first one with the same verdict and ports. Of two rules alike the second decides nothing. */
  readonly like: readonly number[];
  /** Places of the rules, by whom they name. */
  readonly anybody: readonly number[];
  readonly selectors: ReadonlyMap<string, readonly number[]>;
  readonly cidrs: ReadonlyMap<string, readonly { readonly place: number; readonly except: ReadonlySet<string> }[]>;
}

function indexed(tier: Tier): IndexedTier {
  const anybody: number[] = [];
  const selectors = new Map<string, number[]>();
  const cidrs = new Map<string, { place: number; except: ReadonlySet<string> }[]>();
  const firsts = new Map<string, number>();
  const like = tier.rules.map(({ verdict, ports, peers }, place) => {
    if (!peers) anybody.push(place);
    for (const match of peers ?? []) {
      if ("selector" in match) add(selectors, match.selector, place);
      else add(cidrs, match.cidr, { place, except: new Set(match.except) });
    }
    const text = JSON.stringify([verdict, ports]);
    if (!firsts.has(text)) firsts.set(text, place);
    return firsts.get(text) as number;
  });
  return { ...tier, like, anybody, selectors, cidrs };
}

function add<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** The rules of a tier that decide about the peer, in order, and a text that is the same for peers with the same answer. */
function rulesFor(tier: IndexedTier, peer: Peer): { tier: IndexedTier; places: readonly number[]; text: string } {
  const named = new Set<number>();
  for (const selector of peer.selectors) for (const place of tier.selectors.get(selector) ?? []) named.add(place);
  for (const cidr of peer.cidrs) {
    for (const { place, except } of tier.cidrs.get(cidr) ?? []) {
      if (except.size === 0 || !isAmong(peer.cidrs, except)) named.add(place);
    }
  }
  const places = named.size === 0 ? tier.anybody : withoutLike(tier, [...named, ...tier.anybody]);
  const ports = [...peer.ports].map(([name, number]) => `${name}=${number}`).sort();
  return {
    tier,
    places,
    text: `${named.size === 0 ? "anybody" : places.map((place) => tier.like[place]).join()};${ports}`,
  };
}

// A peer is in few blocks, a block may have thousands of exceptions.
function isAmong(few: ReadonlySet<string>, many: ReadonlySet<string>): boolean {
  for (const one of few) if (many.has(one)) return true;
  return false;
}

function withoutLike({ like }: IndexedTier, places: number[]): number[] {
  const seen = new Set<number>();
  return places
    .sort((a, b) => a - b)
    .filter((place) => {
      const alike = like[place] as number;
      return seen.size !== seen.add(alike).size;
    });
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

function judgeRules(tiers: readonly NumericTier[]): Judgement {
  const byProtocol = new Map<number, NumericPort[]>();
  for (const { rules } of tiers) {
    for (const { ports } of rules) {
      for (const match of ports ?? []) {
        const known = byProtocol.get(match.protocol);
        if (known) known.push(match);
        else byProtocol.set(match.protocol, [match]);
      }
    }
  }
  return {
    protocols: new Map([...byProtocol].map(([protocol, matches]) => [protocol, ranges(tiers, protocol, matches)])),
    others: verdictsOf(tiers, undefined, [0])[0] as Verdict,
  };
}

function ranges(tiers: readonly NumericTier[], protocol: number, matches: readonly NumericPort[]): PortRange[] {
  const bounds = new Set([0]);
  for (const { first, last } of matches) {
    bounds.add(first);
    if (last < 65535) bounds.add(last + 1);
  }
  const starts = [...bounds].sort((a, b) => a - b);
  const verdicts = verdictsOf(tiers, protocol, starts);
  const found: { first: number; last: number; verdict: Verdict }[] = [];
  for (const [index, first] of starts.entries()) {
    const verdict = verdicts[index] as Verdict;
    const last = (starts[index + 1] ?? 65536) - 1;
    const previous = found.at(-1);
    if (previous?.verdict === verdict) previous.last = last;
    else found.push({ first, last, verdict });
  }
  return found;
}

/** The verdicts of the parts of a protocol's ports that begin at `starts` and that no rule divides. Tier by tier, the
 * first rule that matches; `protocol` undefined stands for one that no rule names. Each part is decided once per tier:
 * parts that are done are skipped, so that many rules over many ports cost their sum, not their product. */
function verdictsOf(tiers: readonly NumericTier[], protocol: number | undefined, starts: readonly number[]): Verdict[] {
  const at = new Map(starts.map((start, index) => [start, index]));
  const decided: (Verdict | undefined)[] = new Array(starts.length).fill(undefined);
  for (const { rules, otherwise } of tiers) {
    const said: (RuleVerdict | undefined)[] = new Array(starts.length).fill(undefined);
    const open = Array.from({ length: starts.length + 1 }, (_, index) => index); // the next part that no rule has met
    const nextOpen = (index: number): number => {
      let root = index;
      while (open[root] !== root) root = open[root] as number;
      for (let step = index; step !== root; ) [open[step], step] = [root, open[step] as number];
      return root;
    };
    const say = (from: number, to: number, verdict: RuleVerdict) => {
      for (let index = nextOpen(from); index < to; index = nextOpen(index)) {
        said[index] = verdict;
        open[index] = index + 1;
      }
    };
    for (const { verdict, ports } of rules) {
      if (!ports) say(0, starts.length, verdict);
      for (const { protocol: of, first, last } of ports ?? []) {
        if (of === protocol) say(at.get(first) as number, at.get(last + 1) ?? starts.length, verdict);
      }
      if (nextOpen(0) === starts.length) break;
    }
    for (const [index, verdict] of said.entries()) {
      const here = verdict ?? otherwise;
      if (decided[index] === undefined && here !== "pass") decided[index] = here;
    }
  }
  return decided.map((verdict) => verdict ?? "deny");
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
