import {
  type PortRange as JudgedRange,
  type Judgement,
  rangeText,
  type SourceRange,
} from "../../model/policy/judgement.ts";
import type { Decision } from "../../model/policy/rules.ts";
import {
  POLICY_SOURCE_PORT,
  PolicyFlag,
  type PolicyKey,
  type PolicyValue,
  PolicyVerdict,
} from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";
import { ruleNumber } from "./rule-names.ts";

// How a judgement becomes entries of the map `policies` (bpf/shared/policy.h): prefix 72 is any protocol, 80 any port,
// 80 + n a range of ports.
const ANY_PROTOCOL = 72;
const ANY_PORT = 80;

/** The part of the key that entries of one judgement share. */
export interface PolicyScope {
  readonly policy: number;
  readonly identity: number;
  readonly direction: number;
}

/** What numbers stand for: the same number for the same text, and another text never has it. */
export interface PolicyNumbers {
  /** Of a secret, with which reasons are numbered. */
  readonly salt?: string | undefined;
  /** Of a table of source ports, within its policy and direction. */
  table(text: string): number;
}

/** What ports have in common. */
type Said = Omit<JudgedRange, "first" | "last">;
interface PortRange extends Said {
  readonly first: number;
  readonly last: number;
}

/** What the packet path concludes where nothing is written for anybody: a denial, which is written only where its reason is another
 * one than the policy's default. */
export function dropped({ others }: Judgement): Judgement {
  return {
    protocols: new Map(),
    others: { verdict: "deny", ...(others.reason !== undefined && { reason: others.reason }) },
  };
}

/** Entries that make the packet path answer as `judgement` does, given that where it finds nothing under this identity
 * it answers as `fallback` does. As few as one level of choice allows. */
export function encode(
  scope: PolicyScope,
  judgement: Judgement,
  fallback: Judgement,
  numbers: PolicyNumbers,
): Entry<PolicyKey, PolicyValue>[] {
  const written = lines(judgement, fallback);
  return [...under(scope, written, numbers), ...tables(scope, written, numbers)];
}

/** One entry without whom it is about. */
export interface PolicyLine {
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
  readonly said: Said;
}

/** The entries of one scope, without the tables of source ports that they refer to. */
export function under(
  scope: PolicyScope,
  written: readonly PolicyLine[],
  numbers: PolicyNumbers,
): Entry<PolicyKey, PolicyValue>[] {
  return written.map(({ prefixLength, protocol, port, said }) => {
    const key = { prefixLength, ...scope, protocol, port };
    const value = said.sources
      ? { verdict: PolicyVerdict.BY_SOURCE_PORT, flags: 0, rule: numbers.table(tableText(protocol, said.sources)) }
      : answerValue(said, numbers);
    return { key, value };
  });
}

function answerValue(decision: Decision, { salt }: PolicyNumbers): PolicyValue {
  const { verdict, undecided } = decision;
  return {
    verdict: undecided ? PolicyVerdict.NEXT : verdict === "allow" ? PolicyVerdict.ALLOW : PolicyVerdict.DENY,
    flags: decision.log === undefined ? 0 : PolicyFlag.LOGGED,
    rule: ruleNumber(decision, salt),
  };
}

/** The tables of source ports that lines refer to; each once. */
export function tables(
  { policy, direction }: Omit<PolicyScope, "identity">,
  written: readonly PolicyLine[],
  numbers: PolicyNumbers,
): Entry<PolicyKey, PolicyValue>[] {
  const found = new Map<number, Entry<PolicyKey, PolicyValue>[]>();
  for (const { protocol, said } of written) {
    if (!said.sources) continue;
    const identity = numbers.table(tableText(protocol, said.sources));
    if (found.has(identity)) continue;
    const scope = { policy, identity, direction: direction | POLICY_SOURCE_PORT };
    found.set(identity, under(scope, whole(protocol, said.sources), numbers));
  }
  return [...found.values()].flat();
}

function tableText(protocol: number, sources: readonly SourceRange[]): string {
  return `${protocol}: ${sources.map((range) => `${range.first} ${rangeText(range)}`).join("; ")}`;
}

/** What `encode` writes, for whomever it is about. */
export function lines(judgement: Judgement, fallback: Judgement): PolicyLine[] {
  if (judgement === fallback) return [];
  const own = rangeText(judgement.others) !== rangeText(fallback.others);
  const entries: PolicyLine[] = own
    ? [{ prefixLength: ANY_PROTOCOL, protocol: 0, port: 0, said: judgement.others }]
    : [];
  // If the identity has an entry for any protocol, that entry applies, not the fallback.
  const beneath: Judgement = own ? { protocols: new Map(), others: judgement.others } : fallback;
  for (const protocol of new Set([...judgement.protocols.keys(), ...fallback.protocols.keys()])) {
    const wanted = rangesOf(judgement, protocol);
    const exceptions = differing(wanted, rangesOf(beneath, protocol)).map((block) => lineOf(protocol, block));
    if (exceptions.length === 0) continue;
    const alone = whole(protocol, wanted);
    entries.push(...(alone.length < exceptions.length ? alone : exceptions));
  }
  return entries;
}

function rangesOf({ protocols, others }: Judgement, protocol: number): readonly PortRange[] {
  return protocols.get(protocol) ?? [{ first: 0, last: 65535, ...others }];
}

/** All ports of a protocol: one entry for what most blocks say, the others beside it. */
function whole(protocol: number, ranges: readonly PortRange[]): PolicyLine[] {
  const blocks = ranges.flatMap(prefixes).map((block) => ({ block, text: rangeText(block.said) }));
  const counts = new Map<string, number>();
  for (const { text } of blocks) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  const base = blocks.find(({ text }) => text === most);
  return [
    ...(base ? [{ prefixLength: ANY_PORT, protocol, port: 0, said: base.block.said }] : []),
    ...blocks.filter(({ text }) => text !== most).map(({ block }) => lineOf(protocol, block)),
  ];
}

interface PortPrefix {
  readonly port: number;
  readonly bits: number;
  readonly said: Said;
}

function lineOf(protocol: number, { port, bits, said }: PortPrefix): PolicyLine {
  return { prefixLength: ANY_PORT + bits, protocol, port, said };
}

/** The parts of `wanted` where `shown` differs. Both cover all ports, in order. */
function differing(wanted: readonly PortRange[], shown: readonly PortRange[]): PortPrefix[] {
  const found: PortPrefix[] = [];
  let [here, there] = [0, 0];
  while (here < wanted.length && there < shown.length) {
    const [range, other] = [wanted[here] as PortRange, shown[there] as PortRange];
    const first = Math.max(range.first, other.first);
    const last = Math.min(range.last, other.last);
    if (rangeText(range) !== rangeText(other)) found.push(...prefixes({ ...range, first, last }));
    if (range.last === last) here++;
    if (other.last === last) there++;
  }
  return found;
}

/** A range as aligned blocks of ports: 1000-1003 is one prefix of 14 bits, 1-6 is 1, 2-3, 4-5, 6. */
export function prefixes({ first, last, ...said }: PortRange): PortPrefix[] {
  const found: PortPrefix[] = [];
  for (let port = first; port <= last; ) {
    let free = 0;
    while (free < 16 && port % 2 ** (free + 1) === 0 && port + 2 ** (free + 1) - 1 <= last) free++;
    found.push({ port, bits: 16 - free, said });
    port += 2 ** free;
  }
  return found;
}
