import type { Judgement, PortRange } from "../../model/policy/judgement.ts";
import type { Verdict } from "../../model/policy/rules.ts";
import { type PolicyKey, type PolicyValue, PolicyVerdict } from "../kernel/layout.gen.ts";
import type { Entry } from "./desired.ts";

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

/** What the packet path concludes where nothing is written for anybody. */
export const DROPPED: Judgement = { protocols: new Map(), others: { verdict: "deny" } };

/** Entries that make the packet path answer as `judgement` does, given that where it finds nothing under this identity
 * it answers as `fallback` does. As few as one level of choice allows. */
export function encode(scope: PolicyScope, judgement: Judgement, fallback: Judgement): Entry<PolicyKey, PolicyValue>[] {
  return under(scope, lines(judgement, fallback));
}

/** One entry without whom it is about. */
export interface PolicyLine {
  readonly prefixLength: number;
  readonly protocol: number;
  readonly port: number;
  readonly verdict: Verdict;
}

/** The entries of one scope. */
export function under(scope: PolicyScope, written: readonly PolicyLine[]): Entry<PolicyKey, PolicyValue>[] {
  return written.map(({ prefixLength, protocol, port, verdict }) => {
    const key = { prefixLength, ...scope, protocol, port };
    const value = { verdict: verdict === "allow" ? PolicyVerdict.ALLOW : PolicyVerdict.DENY };
    return { key, value };
  });
}

/** What `encode` writes, for whomever it is about. */
export function lines(judgement: Judgement, fallback: Judgement): PolicyLine[] {
  if (judgement === fallback) return [];
  const entries: PolicyLine[] = [];
  const add = (prefixLength: number, protocol: number, port: number, verdict: Verdict) =>
    entries.push({ prefixLength, protocol, port, verdict });
  const own = judgement.others.verdict !== fallback.others.verdict;
  if (own) add(ANY_PROTOCOL, 0, 0, judgement.others.verdict);
  // If the identity has an entry for any protocol, that entry applies, not the fallback.
  const beneath: Judgement = own ? { protocols: new Map(), others: judgement.others } : fallback;
  for (const protocol of new Set([...judgement.protocols.keys(), ...fallback.protocols.keys()])) {
    const wanted = rangesOf(judgement, protocol);
    const choices = [
      { base: undefined, exceptions: differing(wanted, rangesOf(beneath, protocol)) },
      ...(["allow", "deny"] as const).map((base) => ({
        base,
        exceptions: wanted.filter(({ verdict }) => verdict !== base).flatMap(prefixes),
      })),
    ];
    const cost = ({ base, exceptions }: (typeof choices)[number]) => exceptions.length + (base ? 1 : 0);
    const best = choices.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    if (best.base) add(ANY_PORT, protocol, 0, best.base);
    for (const { bits, port, verdict } of best.exceptions) add(ANY_PORT + bits, protocol, port, verdict);
  }
  return entries;
}

function rangesOf({ protocols, others }: Judgement, protocol: number): readonly PortRange[] {
  return protocols.get(protocol) ?? [{ first: 0, last: 65535, ...others }];
}

interface PortPrefix {
  readonly port: number;
  readonly bits: number;
  readonly verdict: Verdict;
}

/** The parts of `wanted` where `shown` differs. Both cover all ports, in order. */
function differing(wanted: readonly PortRange[], shown: readonly PortRange[]): PortPrefix[] {
  const found: PortPrefix[] = [];
  let [here, there] = [0, 0];
  while (here < wanted.length && there < shown.length) {
    const [range, other] = [wanted[here] as PortRange, shown[there] as PortRange];
    const first = Math.max(range.first, other.first);
    const last = Math.min(range.last, other.last);
    if (range.verdict !== other.verdict) found.push(...prefixes({ first, last, verdict: range.verdict }));
    if (range.last === last) here++;
    if (other.last === last) there++;
  }
  return found;
}

/** A range as aligned blocks of ports: 1000-1003 is one prefix of 14 bits, 1-6 is 1, 2-3, 4-5, 6. */
export function prefixes({ first, last, verdict }: PortRange): PortPrefix[] {
  const found: PortPrefix[] = [];
  for (let port = first; port <= last; ) {
    let free = 0;
    while (free < 16 && port % 2 ** (free + 1) === 0 && port + 2 ** (free + 1) - 1 <= last) free++;
    found.push({ port, bits: 16 - free, verdict });
    port += 2 ** free;
  }
  return found;
}
