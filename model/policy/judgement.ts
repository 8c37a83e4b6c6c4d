import { decideParts, type Parts } from "./decide-parts.ts";
import { type Decision, decisionText, type PortMatch, type RuleVerdict } from "./rules.ts";

/** Ports [first, last] of one protocol share a decision. */
export interface PortRange extends Decision {
  readonly first: number;
  readonly last: number;
  /** Present if source ports decide: ranges that cover 0..65535. The range itself then has the most restrictive of their decisions. */
  readonly sources?: readonly SourceRange[];
}

/** Source ports [first, last] share a decision. */
export interface SourceRange extends Decision {
  readonly first: number;
  readonly last: number;
}

/** The complete answer for one peer: ranges that cover 0..65535 for each protocol some rule names, and one decision for
 * all other protocols. Neighbouring ranges differ: denials in their reasons too. */
export interface Judgement {
  readonly protocols: ReadonlyMap<number, readonly PortRange[]>;
  readonly others: Decision;
}

export type NumericPort = Extract<PortMatch, { first: number }>;

/** A rule about one peer, without names of ports. */
export interface NumericRule {
  readonly verdict: RuleVerdict;
  readonly reason: string;
  readonly ports: readonly NumericPort[] | undefined;
  readonly notPorts: readonly NumericPort[];
  readonly sourcePorts: readonly NumericPort[] | undefined;
  readonly notSourcePorts: readonly NumericPort[];
}

export interface NumericTier {
  readonly rules: readonly NumericRule[];
  /** Undefined: it passes. */
  readonly end: Decision | undefined;
}

/** Every protocol that some rule names, and all others, by the tiers in order. */
export function judgeRules(tiers: readonly NumericTier[], afterwards: Decision): Judgement {
  const named = new Set<number>();
  for (const { rules } of tiers) {
    for (const rule of rules)
      for (const matches of portLists(rule)) for (const { protocol } of matches) named.add(protocol);
  }
  const whole = decideParts(tiers, { protocol: undefined, starts: [0] }, afterwards);
  return {
    protocols: new Map([...named].map((protocol) => [protocol, rangesOf(tiers, protocol, afterwards)])),
    others: whole[0] as Decision,
  };
}

function portLists({ ports = [], notPorts, sourcePorts = [], notSourcePorts }: NumericRule) {
  return [ports, notPorts, sourcePorts, notSourcePorts];
}

function rangesOf(tiers: readonly NumericTier[], protocol: number, afterwards: Decision): PortRange[] {
  const [bounds, sourceBounds] = [new Set([0]), new Set([0])];
  for (const { rules } of tiers) {
    for (const { ports = [], notPorts, sourcePorts = [], notSourcePorts } of rules) {
      for (const list of [ports, notPorts]) addBounds(bounds, protocol, list);
      for (const list of [sourcePorts, notSourcePorts]) addBounds(sourceBounds, protocol, list);
    }
  }
  const parts: Parts = { protocol, starts: [...bounds].sort((a, b) => a - b) };
  const sources = [...sourceBounds].sort((a, b) => a - b);
  const bySource = sources.map((sourcePort) => decideParts(tiers, { ...parts, sourcePort }, afterwards));
  return merged(
    parts.starts,
    parts.starts.map((_, part) =>
      together(
        sources,
        bySource.map((decisions) => decisions[part] as Decision),
      ),
    ),
  );
}

function addBounds(bounds: Set<number>, protocol: number, matches: readonly NumericPort[]): void {
  for (const { protocol: of, first, last } of matches) {
    if (of !== protocol) continue;
    bounds.add(first);
    if (last < 65535) bounds.add(last + 1);
  }
}

/** One part of the destination's ports, of which it is known what each part of the source's ports means. */
function together(starts: readonly number[], decisions: readonly Decision[]): Omit<PortRange, "first" | "last"> {
  const sources = merged(starts, decisions);
  const [first] = sources;
  if (!first || sources.length === 1) return decisions[0] as Decision;
  const closed = sources.find(({ verdict }) => verdict === "deny") ?? first;
  return { ...plain(closed), sources };
}

function plain({ verdict, reason, log, undecided }: Decision): Decision {
  const more = { ...(log !== undefined && { log }), ...(undecided && { undecided }) };
  return { verdict, ...(reason !== undefined && { reason }), ...more };
}

/** Neighbours with the same decision become one range. */
function merged<D extends Omit<PortRange, "first" | "last">>(starts: readonly number[], decisions: readonly D[]) {
  const found: (D & { first: number; last: number })[] = [];
  let text = "";
  for (const [index, first] of starts.entries()) {
    const decision = decisions[index] as D;
    const last = (starts[index + 1] ?? 65536) - 1;
    const own = rangeText(decision);
    const previous = found.at(-1);
    if (previous && own === text) previous.last = last;
    else found.push({ ...decision, first, last });
    text = own;
  }
  return found;
}

/** The meaning of a range, as one text. */
export function rangeText({ sources, ...decision }: Omit<PortRange, "first" | "last">): string {
  const said = sources?.map((range) => `${range.first} ${decisionText(range)}`) ?? [];
  return [decisionText(decision), ...said].join("; ");
}
