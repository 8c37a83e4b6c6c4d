import type { NumericPort, NumericRule, NumericTier } from "./judgement.ts";
import { OpenParts } from "./open-parts.ts";
import type { Decision } from "./rules.ts";

/** Parts of a protocol's ports that begin at `starts` and that no rule divides. */
export interface Parts {
  /** Undefined stands for a protocol that no rule names. */
  readonly protocol: number | undefined;
  readonly starts: readonly number[];
  /** Absent: no rule asks for it. */
  readonly sourcePort?: number;
}

/** The decision about each part, tier by tier, by the first rule that matches. Each part is decided once per tier. Decided parts are
 * skipped, so many rules over many ports cost their sum, not their product. */
export function decideParts(tiers: readonly NumericTier[], parts: Parts, afterwards: Decision): Decision[] {
  const { starts } = parts;
  const at = new Map(starts.map((start, index) => [start, index]));
  const decided: (Decision | undefined)[] = new Array(starts.length).fill(undefined);
  const logged: (string | undefined)[] = new Array(starts.length).fill(undefined);
  const decide = (index: number, { verdict, reason, undecided }: Decision) => {
    const why = verdict === "deny" && reason !== undefined ? { reason } : {};
    const log = logged[index];
    decided[index] = { verdict, ...why, ...(undecided && { undecided }), ...(log !== undefined && { log }) };
  };
  for (const { rules, end } of tiers) {
    const open = new OpenParts(starts.length);
    const unlogged = new OpenParts(starts.length);
    for (const rule of rules) {
      for (const { first, last } of matchedBy(rule, parts)) {
        const [from, to] = [at.get(first) as number, at.get(last + 1) ?? starts.length];
        if (rule.verdict === "log") {
          for (const index of unlogged.take(from, to)) {
            if (open.has(index) && !decided[index]) logged[index] = loggedBy(logged[index], rule.reason);
          }
          continue;
        }
        for (const index of open.take(from, to)) {
          if (rule.verdict !== "pass" && !decided[index]) decide(index, { verdict: rule.verdict, reason: rule.reason });
        }
      }
      if (open.isEmpty) break;
    }
    if (end) for (const index of open.take(0, starts.length)) if (!decided[index]) decide(index, end);
  }
  for (const index of starts.keys()) if (!decided[index]) decide(index, afterwards);
  return decided as Decision[];
}

function loggedBy(before: string | undefined, rule: string): string {
  return before === undefined ? rule : `${before} and ${rule}`;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

const ALL_PORTS: Range = { first: 0, last: 65535 };

/** The ports of the parts' protocol that the rule matches. */
function matchedBy(rule: NumericRule, { protocol, sourcePort = 0 }: Parts): Iterable<Range> {
  const { ports, notPorts, sourcePorts, notSourcePorts } = rule;
  const hasSource = ({ first, last }: Range) => first <= sourcePort && sourcePort <= last;
  const ofProtocol = (matches: readonly NumericPort[]) => matches.filter((match) => match.protocol === protocol);
  if (sourcePorts && !ofProtocol(sourcePorts).some(hasSource)) return [];
  if (notSourcePorts.length > 0 && ofProtocol(notSourcePorts).some(hasSource)) return [];
  const wanted = ports ? ofProtocol(ports) : [ALL_PORTS];
  return notPorts.length > 0 ? rangesWithout(wanted, ofProtocol(notPorts)) : wanted;
}

/** The parts of `ranges` that are in none of `others`. */
function rangesWithout(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const sorted = others.toSorted((a, b) => a.first - b.first);
  return ranges.flatMap(({ first, last }) => {
    const left: Range[] = [];
    let next = first;
    for (const other of sorted) {
      if (other.last < next) continue;
      if (other.first > last) break;
      if (other.first > next) left.push({ first: next, last: other.first - 1 });
      next = other.last + 1;
    }
    if (next <= last) left.push({ first: next, last });
    return left;
  });
}
