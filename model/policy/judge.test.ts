import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANYBODY, decisionAt, Judge, judge, type Peer, portName } from "./judge.ts";
import { type Decision, decisionText, OPEN, type PeerMatch, type PortMatch, type Rule, type Tier } from "./rules.ts";

const words = ["a", "b", "c"];
const some = fc.subarray(words);
const peerMatch = fc.record(
  { selectors: some, notSelectors: some, cidrs: some, except: some },
  { requiredKeys: [] },
) as fc.Arbitrary<PeerMatch>;
const number = fc.constantFrom(0, 1, 80, 81, 443, 1024, 65534, 65535);
const range = fc
  .record({ protocol: fc.constantFrom(1, 6, 17), a: number, b: number })
  .map(({ protocol, a, b }) => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) }));
const port = fc.oneof(
  { weight: 4, arbitrary: range },
  { weight: 1, arbitrary: fc.constantFrom({ protocol: 6, name: "http" }, { protocol: 6, name: "nobody's" }) },
);
const ports = fc.array(port, { maxLength: 3 });
const rule = fc.record(
  {
    verdict: fc.constantFrom("allow", "deny", "pass", "log"),
    reason: fc.constantFrom("one", "two"),
    peers: fc.array(peerMatch, { maxLength: 3 }),
    ports,
    notPorts: ports,
    sourcePorts: ports,
    notSourcePorts: ports,
  },
  { requiredKeys: ["verdict", "reason"] },
) as fc.Arbitrary<Rule>;
const tiers: fc.Arbitrary<readonly Tier[]> = fc.array(
  fc.record({
    name: fc.constant("tier"),
    order: fc.constant(0),
    rules: fc.array(rule, { maxLength: 5 }),
    otherwise: fc.constantFrom("deny", "pass"),
    reason: fc.constant("end"),
  }),
  { maxLength: 3 },
);
const peer: fc.Arbitrary<Peer> = fc.record({ selectors: some, cidrs: some, http: fc.boolean() }).map((one) => ({
  selectors: new Set(one.selectors),
  cidrs: new Set(one.cidrs),
  ports: new Map(one.http ? [[portName(6, "http"), 81]] : []),
}));

interface Packet {
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort: number;
}

/** The rules read one after the other, as their types say. */
function naive(inOrder: readonly Tier[], of: Peer, packet: Packet, afterwards: Decision): Decision {
  const logs: string[] = [];
  const said = (decision: Decision): Decision => ({ ...decision, ...(logs.length > 0 && { log: logs.join(" and ") }) });
  for (const { rules, otherwise, reason } of inOrder) {
    let found: Rule | undefined;
    let log: string | undefined;
    for (const one of rules) {
      if (!matches(one, of, packet)) continue;
      if (one.verdict === "log") log ??= one.reason;
      else {
        found = one;
        break;
      }
    }
    if (log !== undefined) logs.push(log);
    if (found?.verdict === "allow") return said({ verdict: "allow" });
    if (found?.verdict === "deny") return said({ verdict: "deny", reason: found.reason });
    if (!found && otherwise === "deny") return said({ verdict: "deny", reason });
  }
  return said(afterwards);
}

function matches(one: Rule, of: Peer, { protocol, port: destination, sourcePort }: Packet): boolean {
  const holds = ({ selectors = [], notSelectors = [], cidrs, except = [] }: PeerMatch) =>
    selectors.every((text) => of.selectors.has(text)) &&
    !notSelectors.some((text) => of.selectors.has(text)) &&
    (!cidrs || cidrs.some((text) => of.cidrs.has(text))) &&
    !except.some((text) => of.cidrs.has(text));
  const among = (list: readonly PortMatch[], at: number) =>
    list.some((match) => {
      if (match.protocol !== protocol) return false;
      if ("first" in match) return match.first <= at && at <= match.last;
      return of.ports.get(portName(protocol, match.name)) === at;
    });
  return (
    (!one.peers || one.peers.some(holds)) &&
    (!one.ports || among(one.ports, destination)) &&
    !among(one.notPorts ?? [], destination) &&
    (!one.sourcePorts || among(one.sourcePorts, sourcePort)) &&
    !among(one.notSourcePorts ?? [], sourcePort)
  );
}

const interesting = [0, 1, 2, 79, 80, 81, 82, 443, 444, 1023, 1024, 1025, 65533, 65534, 65535];
const REFUSED: Decision = { verdict: "deny", reason: "nothing allows it" };

describe("Judge", () => {
  test("decides every protocol, port and source port as the rules do one after the other", () => {
    fc.assert(
      fc.property(tiers, fc.array(peer, { minLength: 1, maxLength: 3 }), fc.boolean(), (inOrder, peers, isOpen) => {
        const afterwards = isOpen ? OPEN : REFUSED;
        const judging = new Judge(inOrder, afterwards);
        const wrong: string[] = [];
        for (const of of [...peers, ANYBODY]) {
          const judgement = judging.judge(of);
          for (const protocol of [1, 6, 17, 47]) {
            for (const at of interesting) {
              for (const sourcePort of [0, 1, 80, 81, 82, 1024, 1025, 65535]) {
                const found = decisionText(decisionAt(judgement, protocol, at, sourcePort));
                const wanted = decisionText(naive(inOrder, of, { protocol, port: at, sourcePort }, afterwards));
                if (found !== wanted) wrong.push(`${protocol} ${sourcePort} -> ${at}: ${found}, not ${wanted}`);
              }
            }
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("who does not ask for source ports gets the most closed answer", () => {
    const tcp = (first: number, last = first) => [{ protocol: 6, first, last }];
    const rules: Rule[] = [{ verdict: "allow", reason: "", ports: tcp(53), sourcePorts: tcp(53) }];
    const judgement = judge([{ name: "t", order: 0, rules, otherwise: "deny", reason: "end" }], ANYBODY);
    expect(decisionAt(judgement, 6, 53).verdict).toBe("deny");
    expect(decisionAt(judgement, 6, 53, 53).verdict).toBe("allow");
    expect(decisionAt(judgement, 6, 53, 54)).toMatchObject({ verdict: "deny", reason: "end" });
  });

  test("peers that the same rules name share a judgement; reasons divide ranges only where they refuse", () => {
    const tcp = (first: number, last = first) => [{ protocol: 6, first, last }];
    const rules: Rule[] = [
      { verdict: "allow", reason: "first", ports: tcp(1, 9) },
      { verdict: "allow", reason: "second", ports: tcp(10, 19) },
      { verdict: "deny", reason: "third", ports: tcp(20, 29) },
      { verdict: "deny", reason: "fourth", ports: tcp(30, 39) },
      { verdict: "allow", reason: "fifth", peers: [{ notSelectors: ["bad"] }] },
    ];
    const judging = new Judge([{ name: "t", order: 0, rules, otherwise: "deny", reason: "end" }], OPEN);
    const judgement = judging.judge(ANYBODY);
    expect(judgement.protocols.get(6)?.map(({ first, reason }) => [first, reason])).toEqual([
      [0, undefined],
      [20, "third"],
      [30, "fourth"],
      [40, undefined],
    ]);
    expect(judging.judge({ ...ANYBODY, selectors: new Set(["good"]) })).toBe(judgement);
    const refused = judging.judge({ ...ANYBODY, selectors: new Set(["bad"]) });
    expect(refused.others).toEqual({ verdict: "deny", reason: "end" });
  });
});
