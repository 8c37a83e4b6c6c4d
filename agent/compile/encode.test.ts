import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANYBODY, Judge, judge, type Peer } from "../../model/policy/judge.ts";
import { type Decision, OPEN, type PortMatch, type Rule, type Tier } from "../../model/policy/rules.ts";
import { answerOf } from "../../test/model/packet-path.ts";
import { maps, POLICY_ANY_IDENTITY, PolicyFlag, type PolicyValue, PolicyVerdict } from "../kernel/layout.gen.ts";
import { MemoryMap } from "../kernel/memory-map.ts";
import { dropped, encode, prefixes } from "./encode.ts";
import { keyText } from "./key.ts";
import { decisionsOf, RuleNames } from "./rule-names.ts";
import { TableNumbers } from "./table-numbers.ts";

const PORTS = [0, 1, 2, 78, 79, 80, 81, 82, 443, 444, 1023, 1024, 5000, 65534, 65535];
const port = fc.constantFrom(0, 1, 79, 80, 81, 443, 1023, 1024, 65534, 65535);
const match = fc
  .record({ protocol: fc.constantFrom(6, 17, 1), a: port, b: port })
  .map(({ protocol, a, b }) => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) }));
const matches = fc.array(match, { maxLength: 3 });
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    verdict: fc.constantFrom("allow", "deny", "pass", "log"),
    reason: fc.constantFrom("rule 1", "rule 2", "rule 3"),
    peers: fc.constant([{ selectors: ["friends"] }]),
    ports: matches,
    notPorts: matches,
    sourcePorts: matches,
  },
  { requiredKeys: ["verdict", "reason"] },
);
const END = { name: "default", order: 0, reason: "the end" };
const tier: fc.Arbitrary<Tier> = fc.record({
  name: fc.constant(END.name),
  order: fc.constant(END.order),
  reason: fc.constantFrom(END.reason, "another end"),
  rules: fc.array(rule, { maxLength: 5 }),
  otherwise: fc.constantFrom("deny", "pass"),
});
const tiers = fc.array(tier, { maxLength: 3 });

const friend: Peer = { selectors: new Set(["friends"]), cidrs: new Set(), ports: new Map() };

interface Traffic {
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort: number;
}

/** The rules read one after the other, as their definition says. */
function naive(
  tiersInOrder: readonly Tier[],
  isFriend: boolean,
  { protocol, port: to, sourcePort }: Traffic,
): Decision {
  const among = (list: readonly PortMatch[] | undefined, number: number) =>
    list?.some((one) => "first" in one && one.protocol === protocol && number >= one.first && number <= one.last);
  const logs: string[] = [];
  for (const { rules, otherwise, reason } of tiersInOrder) {
    let [verdict, why]: [string, string] = [otherwise, reason];
    let log: string | undefined;
    for (const item of rules) {
      if (item.peers && !isFriend) continue;
      if (item.ports && !among(item.ports, to)) continue;
      if (among(item.notPorts, to)) continue;
      if (item.sourcePorts && !among(item.sourcePorts, sourcePort)) continue;
      if (item.verdict === "log") log ??= item.reason;
      else {
        [verdict, why] = [item.verdict, item.reason];
        break;
      }
    }
    if (log !== undefined) logs.push(log);
    const note = logs.length > 0 ? { log: logs.join(" and ") } : {};
    if (verdict === "allow") return { verdict: "allow", ...note };
    if (verdict === "deny") return { verdict: "deny", reason: why, ...note };
  }
  return { ...OPEN, ...(logs.length > 0 && { log: logs.join(" and ") }) };
}

function decisionOf(value: PolicyValue | undefined, byDefault: string | undefined, names: RuleNames): Decision {
  const log = (value?.flags ?? 0) & PolicyFlag.LOGGED ? names.logs.get(value?.rule ?? 0) : undefined;
  const note = log === undefined ? {} : { log };
  if (value?.verdict === PolicyVerdict.ALLOW) return { verdict: "allow", ...note };
  const reason = value ? names.denials.get(value.rule) : byDefault;
  return { verdict: "deny", ...(reason !== undefined && { reason }), ...note };
}

function numbering() {
  const known = new TableNumbers({ name: "a policy", hash: 7 });
  return { table: (text: string) => known.of(text) };
}

describe("encode()", () => {
  test("answers every protocol, port and source port as the ordered rules do, with the reason and the Log rules, for a known peer and for anybody", () => {
    const scope = { policy: 7, direction: 0 };
    fc.assert(
      fc.property(tiers, fc.constantFrom(0, 79, 80, 65535), (inOrder, sourcePort) => {
        const map = new MemoryMap(maps.policies);
        const judging = new Judge(inOrder, OPEN);
        const anybody = judging.judge(ANYBODY);
        const numbers = numbering();
        const names = new RuleNames();
        for (const judgement of [anybody, judging.judge(friend)]) names.add(decisionsOf(judgement));
        const entries = [
          ...encode({ ...scope, identity: POLICY_ANY_IDENTITY }, anybody, dropped(anybody), numbers),
          ...encode({ ...scope, identity: 42 }, judging.judge(friend), anybody, numbers),
        ];
        map.update(entries.map(({ key, value }) => [key, value]));
        for (const protocol of [6, 17, 1, 47]) {
          for (const number of PORTS) {
            const traffic = { protocol, port: number, sourcePort };
            const said = (identity: number) =>
              decisionOf(
                answerOf(map, { ...scope, prefixLength: 96, protocol, port: number }, identity, sourcePort),
                anybody.others.reason,
                names,
              );
            expect(said(42)).toEqual(naive(inOrder, true, traffic));
            expect(said(0)).toEqual(naive(inOrder, false, traffic));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("writes nothing for a peer whom the rules treat like anybody", () => {
    const anybody = judge([{ ...END, rules: [{ verdict: "allow", reason: "" }], otherwise: "deny" }], ANYBODY);
    expect(encode({ policy: 1, identity: 2, direction: 0 }, anybody, anybody, numbering())).toEqual([]);
  });

  test("writes one entry for everything allowed", () => {
    const open = judge([{ ...END, rules: [{ verdict: "allow", reason: "" }], otherwise: "deny" }], ANYBODY);
    const entries = encode({ policy: 1, identity: 2, direction: 0 }, open, dropped(open), numbering());
    expect(entries.map(({ key }) => keyText.policies(key))).toEqual(["00000001 00000002 ingress any"]);
  });
});

test("prefixes() covers a range exactly, in as few aligned blocks as there are", () => {
  const text = (first: number, last: number) =>
    prefixes({ first, last, verdict: "allow" }).map(({ port: at, bits }) => `${at}/${bits}`);
  expect(text(80, 80)).toEqual(["80/16"]);
  expect(text(1000, 1003)).toEqual(["1000/14"]);
  expect(text(1, 6)).toEqual(["1/16", "2/15", "4/15", "6/16"]);
  expect(text(0, 65535)).toEqual(["0/0"]);
});
