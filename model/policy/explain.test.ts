import fc from "fast-check";
import { expect, test } from "vitest";
import { explain } from "./explain.ts";
import { ANYBODY, decisionAt, judge, type Peer } from "./judge.ts";
import type { Decision, PortMatch, Rule, Tier } from "./rules.ts";

const port = fc
  .record({
    protocol: fc.constantFrom(6, 17, 1),
    first: fc.integer({ min: 0, max: 6 }),
    more: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ protocol, first, more }): PortMatch => ({ protocol, first, last: first + more }));
const word = fc.constantFrom("web", "db", "api");
const peerMatch = fc.record(
  { selectors: fc.array(word, { maxLength: 2 }), notSelectors: fc.array(word, { maxLength: 1 }) },
  { requiredKeys: [] },
);
const rule: fc.Arbitrary<Rule> = fc
  .record(
    {
      verdict: fc.constantFrom("allow", "deny", "pass", "log"),
      peers: fc.array(peerMatch, { maxLength: 2 }),
      ports: fc.array(port, { maxLength: 2 }),
      notPorts: fc.array(port, { maxLength: 1 }),
      sourcePorts: fc.array(port, { maxLength: 1 }),
    },
    { requiredKeys: ["verdict"] },
  )
  .map((some) => ({ ...some, reason: "" }));
const tiers: fc.Arbitrary<Tier[]> = fc
  .array(fc.record({ rules: fc.array(rule, { maxLength: 4 }), otherwise: fc.constantFrom("deny", "pass") }), {
    maxLength: 3,
  })
  .map((some) =>
    some.map(({ rules, otherwise }, order) => ({
      ...{ name: `t${order}`, order, otherwise, reason: `end of tier t${order}` },
      rules: rules.map((one, index) => ({ ...one, reason: `rule ${index} of t${order}` })),
    })),
  );
const afterwards = fc.constantFrom<Decision>({ verdict: "allow" }, { verdict: "deny", reason: "closed" });
const flow = fc.record({
  protocol: fc.constantFrom(6, 17, 1, 47),
  port: fc.integer({ min: 0, max: 9 }),
  sourcePort: fc.integer({ min: 0, max: 9 }),
});

test("an explanation ends in what the judge decides, for the same reason", () => {
  fc.assert(
    fc.property(tiers, afterwards, fc.uniqueArray(word), flow, (asked, end, words, { protocol, port, sourcePort }) => {
      const peer: Peer = { ...ANYBODY, selectors: new Set(words) };
      const { decision } = explain(asked, end, peer, { protocol, port, sourcePort });
      const judged = decisionAt(judge(asked, peer, end), protocol, port, sourcePort);
      expect([decision.verdict, decision.reason]).toEqual([judged.verdict, judged.reason]);
    }),
    { numRuns: 2000 },
  );
});

test("the tiers that were asked are listed with the rule that matched, up to the one that decided", () => {
  const allow = (name: string): Rule => ({ verdict: "allow", reason: `${name} allows` });
  const tier = (name: string, rules: Rule[], otherwise: "deny" | "pass" = "deny"): Tier => ({
    ...{ name, order: 1, rules, otherwise, reason: `end of ${name}` },
  });
  const asked = [
    tier("first", [
      { verdict: "log", reason: "noted" },
      { verdict: "pass", reason: "passes" },
    ]),
    tier("second", [], "pass"),
    tier("third", [allow("third")]),
    tier("fourth", []),
  ];
  expect(explain(asked, { verdict: "deny" }, ANYBODY, { protocol: 6, port: 80, sourcePort: 1 })).toEqual({
    tiers: [
      { tier: "first", verdict: "pass", reason: "passes", logs: ["noted"] },
      { tier: "second", verdict: "pass", reason: "end of second", logs: [] },
      { tier: "third", verdict: "allow", reason: "third allows", logs: [] },
    ],
    decision: { verdict: "allow" },
  });
});
