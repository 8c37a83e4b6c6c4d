import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANYBODY, judge, type Peer } from "../../model/policy/judge.ts";
import type { Rule, Tier } from "../../model/policy/rules.ts";
import { longestMatch } from "../../test/model/packet-path.ts";
import { maps, POLICY_ANY_IDENTITY, PolicyVerdict } from "../kernel/layout.gen.ts";
import { MemoryMap } from "../kernel/memory-map.ts";
import { DROPPED, encode, prefixes } from "./encode.ts";
import { keyText } from "./key.ts";

const port = fc.constantFrom(0, 1, 79, 80, 81, 443, 1023, 1024, 65534, 65535);
const match = fc
  .record({ protocol: fc.constantFrom(6, 17, 1), a: port, b: port })
  .map(({ protocol, a, b }) => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) }));
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    verdict: fc.constantFrom("allow", "deny", "pass"),
    reason: fc.constant("a rule"),
    peers: fc.constant([{ selectors: ["friends"] }]),
    ports: fc.array(match, { maxLength: 3 }),
  },
  { requiredKeys: ["verdict", "reason"] },
);
const END = { name: "default", order: 0, reason: "the end" };
const tier: fc.Arbitrary<Tier> = fc.record({
  name: fc.constant(END.name),
  order: fc.constant(END.order),
  reason: fc.constant(END.reason),
  rules: fc.array(rule, { maxLength: 5 }),
  otherwise: fc.constantFrom("deny", "pass"),
});
const tiers = fc.array(tier, { maxLength: 3 });

const friend: Peer = { selectors: new Set(["friends"]), cidrs: new Set(), ports: new Map() };

/** The rules read one after the other, as their definition says. */
function naive(tiersInOrder: readonly Tier[], isFriend: boolean, protocol: number, number: number): string {
  for (const { rules, otherwise } of tiersInOrder) {
    let verdict: string = otherwise;
    for (const item of rules) {
      if (item.peers && !isFriend) continue;
      const ports = item.ports as { protocol: number; first: number; last: number }[] | undefined;
      if (ports && !ports.some((m) => m.protocol === protocol && number >= m.first && number <= m.last)) continue;
      verdict = item.verdict;
      break;
    }
    if (verdict !== "pass") return verdict;
  }
  return "allow";
}

describe("encode()", () => {
  test("answers every protocol and port as the ordered rules do, for a known peer and for anybody", () => {
    const scope = { policy: 7, direction: 0 };
    fc.assert(
      fc.property(tiers, (inOrder) => {
        const map = new MemoryMap(maps.policies);
        const anybody = judge(inOrder, ANYBODY);
        const entries = [
          ...encode({ ...scope, identity: POLICY_ANY_IDENTITY }, anybody, DROPPED),
          ...encode({ ...scope, identity: 42 }, judge(inOrder, friend), anybody),
        ];
        map.update(entries.map(({ key, value }) => [key, value]));
        const ask = (identity: number, protocol: number, number: number) =>
          longestMatch(map, { ...scope, prefixLength: 96, identity, protocol, port: number })?.verdict;
        for (const protocol of [6, 17, 1, 47]) {
          for (const number of [0, 1, 2, 78, 79, 80, 81, 82, 443, 444, 1023, 1024, 5000, 65534, 65535]) {
            const known = ask(42, protocol, number) ?? ask(POLICY_ANY_IDENTITY, protocol, number);
            const unknown = ask(POLICY_ANY_IDENTITY, protocol, number);
            const words = (verdict: number | undefined) => (verdict === PolicyVerdict.ALLOW ? "allow" : "deny");
            expect(words(known)).toBe(naive(inOrder, true, protocol, number));
            expect(words(unknown)).toBe(naive(inOrder, false, protocol, number));
          }
        }
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  test("writes nothing for a peer whom the rules treat like anybody", () => {
    const anybody = judge([{ ...END, rules: [{ verdict: "allow", reason: "" }], otherwise: "deny" }], ANYBODY);
    expect(encode({ policy: 1, identity: 2, direction: 0 }, anybody, anybody)).toEqual([]);
  });

  test("writes one entry for everything allowed", () => {
    const open = judge([{ ...END, rules: [{ verdict: "allow", reason: "" }], otherwise: "deny" }], ANYBODY);
    const entries = encode({ policy: 1, identity: 2, direction: 0 }, open, DROPPED);
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
