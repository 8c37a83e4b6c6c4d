import { expect, test } from "vitest";
import type { ExplainedVerdict } from "../flows/staged-verdicts.ts";
import type { EndAnswer, NodeAnswer } from "./answers.ts";
import { explanationLines } from "./explanation-lines.ts";

const from = { address: "10.244.0.2", name: "pod shop/web" };
const to = { address: "10.244.1.3", port: 5432, name: "pod db/pg" };
const egress: EndAnswer = {
  ...{ direction: "egress", node: "master", end: "pod shop/web", policies: "", peer: [], tiers: [] },
  ...{ verdict: "allow", reason: "no policy applies" },
};
const ingress: EndAnswer = {
  ...{ direction: "ingress", node: "node", end: "pod db/pg", policies: "NetworkPolicy db/only", peer: ["app is web"] },
  tiers: [{ tier: "security", verdict: "pass", reason: "rule 2 passes", logs: ["rule 1 logs"] }],
  ...{ verdict: "deny", reason: "nobody allows it" },
};
const answer = (node: string, ends: EndAnswer[], more: Partial<NodeAnswer> = {}): NodeAnswer => ({
  ...{ node, from, ways: [{ to, ends }] },
  ...more,
});

test("the nodes of both ends are one chain, egress first, with what ended it", () => {
  expect(explanationLines([answer("node", [ingress]), answer("master", [egress]), answer("third", [])])).toEqual([
    "pod shop/web → pod db/pg port 5432",
    "  egress of pod shop/web, on node master: no policy applies",
    "  ingress of pod db/pg, on node node: NetworkPolicy db/only",
    "    the other end is told by: app is web",
    "    tier security: log, by rule 1 logs",
    "    tier security: pass, by rule 2 passes",
    "    then: deny, nobody allows it",
    "  = refused: nobody allows it",
  ]);
});

test("a change that is being written, a way that nobody judges, and a Service without backends are said", () => {
  expect(explanationLines([answer("node", [{ ...ingress, differs: true }])]).join()).toContain("is being written");
  expect(explanationLines([answer("node", [])]).at(-1)).toBe("  = allowed: no policy is asked about it");
  expect(explanationLines([answer("node", [], { service: "db/pg", ways: [] })])).toEqual([
    "db/pg is a Service, whose backends decide for themselves:",
    "",
    "no backend is ready: pod shop/web is refused at once",
  ]);
  expect(explanationLines([])).toEqual(["No agent answered."]);
});

test("what staged policies would decide is said beside what is in force, once", () => {
  const staged = (verdict: "allowed" | "denied", differs: boolean, reason?: string) => {
    const ways = [{ to, ends: [egress], staged: { verdict, differs, ends: [], ...(reason && { reason }) } }];
    return explanationLines([answer("master", [], { ways }), answer("node", [], { ways })]).slice(-2);
  };
  expect(staged("denied", true, "rule 1 of next")).toEqual([
    "  = allowed",
    "  = with the staged policies: refused: rule 1 of next",
  ]);
  expect(staged("allowed", false).at(-1)).toBe("  = with the staged policies: also allowed");
  const at = (node: string, staged: Omit<ExplainedVerdict, "ends">) =>
    answer(node, [], { ways: [{ to, ends: [egress], staged: { ends: [], ...staged } }] });
  const refused = { verdict: "denied", differs: true, reason: "rule 1 of host" } as const;
  // Only the node itself knows what its host endpoints would say.
  expect(explanationLines([at("a", { verdict: "allowed", differs: false }), at("b", refused)]).at(-1)).toBe(
    "  = with the staged policies: refused: rule 1 of host",
  );
});

test("the ends at which staged policies would say something else are said once, tier by tier", () => {
  const end = {
    direction: "ingress",
    end: "pods of db/pg",
    policies: "NetworkPolicy db/next",
    verdict: "denied",
  } as const;
  const tiers = [
    { tier: "security", verdict: "pass", reason: "rule 2 of it", logs: ["rule 1 of it"] },
    { tier: "default", verdict: "deny", reason: "rule 1 of next", logs: [] },
  ] as const;
  const early = { ...end, end: "HostEndpoint edge, before translation", verdict: "allowed", undecided: true } as const;
  const open = {
    ...end,
    direction: "egress",
    end: "pods of shop/web",
    policies: "",
    verdict: "allowed",
    tiers: [],
  } as const;
  const staged = { verdict: "denied", differs: true, reason: "rule 1 of next" } as const;
  const at = (node: string, ...ends: ExplainedVerdict["ends"][number][]) =>
    answer(node, [], { ways: [{ to, ends: [egress], staged: { ...staged, ends } }] });
  const answers = [
    at("a", open, { ...end, tiers }),
    at("b", { ...early, tiers: tiers.slice(0, 1) }, { ...end, tiers }),
  ];
  expect(explanationLines(answers).slice(4)).toEqual([
    "  with the staged policies, egress of pods of shop/web: no policy applies",
    "  with the staged policies, ingress of pods of db/pg: NetworkPolicy db/next",
    "    tier security: log, by rule 1 of it",
    "    tier security: pass, by rule 2 of it",
    "    tier default: deny, by rule 1 of next",
    "  with the staged policies, ingress of HostEndpoint edge, before translation: NetworkPolicy db/next",
    "    tier security: log, by rule 1 of it",
    "    tier security: pass, by rule 2 of it",
    "    then: the later policies are asked",
    "  = with the staged policies: refused: rule 1 of next",
  ]);
});

test("the way to the other node is said, and who may use a Service with source ranges", () => {
  const ways = (route: string) => [{ to, route, ends: [] }];
  const entered = ["a", "b", "c", "d"].map((node) => answer(node, [], { ways: ways("to node e, wrapped in VXLAN") }));
  expect(explanationLines(entered)).toEqual([
    "pod shop/web → pod db/pg port 5432",
    "  from nodes a, b, c and 1 more: to node e, wrapped in VXLAN",
    "  = allowed: no policy is asked about it",
  ]);
  const ranges = (allows: boolean) => ({ service: "db/pg", sourceRanges: { ranges: ["10.0.0.0/8"], allows } });
  expect(explanationLines([answer("a", [], ranges(true))])[1]).toBe(
    "pod shop/web is among its source ranges (10.0.0.0/8)",
  );
  expect(explanationLines([answer("a", [ingress], ranges(false))])).toEqual([
    "db/pg is a Service, whose backends decide for themselves:",
    "",
    "refused: pod shop/web is not among its source ranges (10.0.0.0/8)",
  ]);
});
