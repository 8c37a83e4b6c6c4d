import { decisionAt, type Peer, resolved } from "./judge.ts";
import { judgeRules } from "./judgement.ts";
import { RuleIndex } from "./rule-index.ts";
import { type Decision, OPEN, type Rule, type Tier } from "./rules.ts";

/** One flow that policies are asked about; ports as in PortMatch. */
export interface AskedFlow {
  readonly protocol: number;
  readonly port: number;
  readonly sourcePort: number;
}

/** Without a source port: whether a rule matches some. */
type Flow = Omit<AskedFlow, "sourcePort"> & Partial<AskedFlow>;

/** The answer of one tier. */
export interface TierAnswer {
  readonly tier: string;
  readonly verdict: "allow" | "deny" | "pass";
  /** The rule that matched, or the end of the tier. */
  readonly reason: string;
  /** Log rules that matched before. */
  readonly logs: readonly string[];
}

export interface Explanation {
  /** In the order in which they were asked; the last one decided, unless all passed. */
  readonly tiers: readonly TierAnswer[];
  readonly decision: Decision;
}

/** How an endpoint's tiers decide about one flow with a peer, tier by tier. For people: code that judges many flows makes a Judge. */
export function explain(tiers: readonly Tier[], afterwards: Decision, peer: Peer, flow: Flow): Explanation {
  const answers: TierAnswer[] = [];
  for (const tier of tiers) {
    const answer = answerOf(tier, peer, flow);
    answers.push(answer);
    if (answer.verdict === "pass") continue;
    const { verdict, reason } = answer;
    return { tiers: answers, decision: verdict === "deny" ? { verdict, reason } : { verdict } };
  }
  return { tiers: answers, decision: afterwards };
}

function answerOf(tier: Tier, peer: Peer, flow: Flow): TierAnswer {
  const logs: string[] = [];
  for (const rule of tier.rules) {
    if (!ruleMatches(rule, peer, flow)) continue;
    if (rule.verdict !== "log") return { tier: tier.name, verdict: rule.verdict, reason: rule.reason, logs };
    logs.push(rule.reason);
  }
  return { tier: tier.name, verdict: tier.otherwise, reason: tier.reason, logs };
}

/** Evaluates the one rule with a judge, so that the matching of rules is implemented once. */
export function ruleMatches(rule: Rule, peer: Peer, { protocol, port, sourcePort }: Flow): boolean {
  const { places } = new RuleIndex([rule]).rulesFor(peer);
  if (places.length === 0) return false;
  const alone = { ...resolved(rule, peer), verdict: "deny", reason: "" } as const;
  const judged = judgeRules([{ rules: [alone], end: undefined }], OPEN);
  return decisionAt(judged, protocol, port, sourcePort).verdict === "deny";
}
