import type { AttemptResult } from "../../agent/probe/batch.ts";
import type { Expectation } from "../../components/documents/check.ts";
import type { PodSelection } from "../../model/expectation/place.ts";
import type { Seen } from "../../report/results/verification.ts";
import { type ClusterView, podName } from "../cluster/view.ts";
import { type Attempt, type Findings, factsOf, see } from "./attempt.ts";
import { addressOf, podsOf } from "./behind.ts";
import {
  detourExplained,
  rejectionExplained,
  shortcutExplained,
  silenceExplained,
  sourceExplained,
} from "./explain.ts";
import { isPrograms } from "./idle-servers.ts";
import { isOurs, matches, NotYet, sourceAddresses } from "./lookup.ts";
import type { Plan } from "./plan.ts";

/** Whether an expectation held in a round, what was seen, in words, and what each claim rests on. */
export interface Judgement {
  expectation: Expectation;
  pass: boolean;
  /** Why nothing is known: nobody had a processor. It neither holds nor does not. */
  undecided?: string;
  observed: string;
  evidence: string[];
  /** The same as facts. */
  seen: Seen[];
}

/** Judges without clock, cluster or probes: the same findings give the same judgement. */
export function judge(findings: Findings): Judgement {
  const { plan, results } = findings;
  const { expectation } = plan;
  const notYet = plan.notYet ?? sourceNotYet(findings);
  if (notYet) return { expectation, pass: false, observed: `not probed: ${notYet}`, evidence: [], seen: [] };
  const attempts = results.map((result) => see(findings, result));
  const wrong = attempts.flatMap((attempt) => problems(findings, attempt));
  const tooFew = expectation.count * plan.probes.length - results.length;
  if (tooFew > 0 && wrong.length === 0) wrong.push(`${tooFew} attempts gave no result`);
  const servers = new Set(attempts.flatMap(({ server }) => server ?? []));
  if (expectation.spread !== undefined && servers.size < expectation.spread) {
    wrong.push(
      `${servers.size} distinct servers answered, not ${expectation.spread}: ${[...servers].join(", ") || "none"}`,
    );
  }
  const { spreadAtMost } = expectation;
  if (spreadAtMost !== undefined && servers.size > spreadAtMost)
    wrong.push(`${servers.size} distinct servers answered, not ${spreadAtMost} at most: ${[...servers].join(", ")}`);
  if (spreadAtMost !== undefined && servers.size === 0 && wrong.length === 0)
    wrong.push("nobody said which server answered");
  const open = attempts.flatMap((attempt) => undecided(findings, attempt) ?? []);
  const observed = tally(findings, attempts);
  if (wrong.length === 0 && open[0] !== undefined) {
    const evidence = [...tallied(open), ...grounds(attempts, plan)];
    return { expectation, pass: false, undecided: open[0], observed, evidence, seen: factsOf(findings, attempts) };
  }
  return {
    expectation,
    pass: wrong.length === 0,
    observed,
    evidence: [...tallied(wrong), ...grounds(attempts, plan)],
    seen: factsOf(findings, attempts),
  };
}

function sourceNotYet({ view, machines, plan }: Findings): string | undefined {
  try {
    for (const { value } of plan.expectation.source ?? []) sourceAddresses(view, machines, value);
  } catch (error) {
    if (error instanceof NotYet) return `source: ${error.message}`;
    throw error;
  }
  return undefined;
}

/** Why an attempt shows nothing of the dataplane: no processor for this side, or for the server. */
function undecided({ view, plan, idle }: Findings, { result }: Attempt): string | undefined {
  if (result.undecided) return `${plan.expectation.from.text}: ${result.undecided}`;
  if (!isPrograms(plan, result)) return undefined;
  return podsOf(view, plan, result)
    .map((pod) => idle.get(podName(pod)))
    .find((why) => why !== undefined);
}

/** What about one attempt is not as expected; empty when all is, and when nothing is known. */
function problems(findings: Findings, attempt: Attempt): string[] {
  if (undecided(findings, attempt)) return [];
  const { view, machines, plan } = findings;
  const { verdict, servers, source: sources = [] } = plan.expectation;
  const { result, server, source } = attempt;
  if (result.verdict === "none") return [describeVerdict(result)];
  // Silence shows what the dataplane does only where something was said.
  if (result.unsent && isOurs(view, addressOf(plan, result))) return [unsentWords(plan, result)];
  if (result.verdict !== verdict) {
    const how = result.verdict === "dropped" && result.error ? ` (${result.error})` : "";
    const why =
      result.verdict === "rejected" && verdict === "allowed" ? rejectionExplained(findings, attempt) : undefined;
    return [`${describeVerdict(result)}${how}, not ${verdict}${why ? `: ${why}` : ""}`];
  }
  if (verdict !== "allowed") return [];

  const wrong: string[] = [];
  const allowed = sources.flatMap(({ value }) => sourceAddresses(view, machines, value));
  if (sources.length > 0 && source === undefined) wrong.push(silenceExplained(findings, attempt));
  if (sources.length > 0 && source !== undefined && !allowed.includes(source))
    wrong.push(
      sourceExplained(
        findings,
        attempt,
        sources.map(({ text }) => text),
      ),
    );
  if (servers && !servers.some(({ value }) => isServer(view, server, value))) {
    wrong.push(`${server ?? "an unknown server"} answered, not ${servers.map(({ text }) => text).join(" or ")}`);
  }
  return [...wrong, ...replyProblems(findings, attempt)];
}

function unsentWords({ expectation }: Plan, { unsent }: AttemptResult): string {
  return `no packet left ${expectation.from.text}: ${unsent}; its link or its route is gone, so nothing is known of the dataplane`;
}

function isServer(view: ClusterView, server: string | undefined, selection: PodSelection): boolean {
  if (selection.name !== undefined) return server === `${selection.namespace}/${selection.name}`;
  return view.pods.some((pod) => podName(pod) === server && matches(pod, selection));
}

/**
 * A server on the entry node itself satisfies both: its reply takes no way through another node, and it does leave the
 * entry node.
 */
function replyProblems(findings: Findings, { throughEntry = 0, servedByEntry }: Attempt): string[] {
  const { reply } = findings.plan.expectation;
  if (reply === "direct" && throughEntry > 0 && !servedByEntry) return [detourExplained(findings)];
  if (reply === "viaEntryNode" && throughEntry === 0) return [shortcutExplained(findings)];
  return [];
}

function describeVerdict({ verdict, error }: AttemptResult): string {
  if (verdict === "none") return `not probed: ${error}`;
  return error && verdict !== "dropped" ? `${verdict} (${error})` : verdict;
}

/** `allowed from 172.31.1.55, reply direct`; with several kinds of outcome, each with its number. */
function tally(findings: Findings, attempts: Attempt[]): string {
  const { reply, servers, spread, spreadAtMost } = findings.plan.expectation;
  if (attempts.length === 0) return "not probed: no result came back";
  const words = attempts.map((attempt) => {
    const { result, source, server, throughEntry, servedByEntry } = attempt;
    const why = undecided(findings, attempt);
    if (why) return `undecided: ${why}`;
    const parts = [`${describeVerdict(result)}${source ? ` from ${source}` : ""}`];
    if ((servers || spread || spreadAtMost) && server) parts.push(`by ${server}`);
    if (reply && throughEntry !== undefined) parts.push(replyWords(throughEntry, servedByEntry));
    return parts.join(", ");
  });
  return tallied(words).join("; ");
}

function replyWords(throughEntry: number, servedByEntry: boolean): string {
  if (servedByEntry) return "reply direct (the server is on the entry node)";
  return throughEntry > 0 ? "reply via the entry node" : "reply direct";
}

/** Equal texts once, with their number where there are several texts or several times. */
function tallied(texts: string[]): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => (count > 1 ? `${count}× ${text}` : text));
}

/** What the claims rest on: a line of the server's log, packets counted on the entry node, a port that was rewritten. */
function grounds(attempts: Attempt[], plan: Plan): string[] {
  const logged = attempts.find(({ log }) => log)?.log;
  const captured = attempts.filter(({ throughEntry }) => throughEntry !== undefined);
  const packets = captured.reduce((total, { throughEntry }) => total + (throughEntry ?? 0), 0);
  const rewritten = attempts.find(
    ({ result }) => result.sourcePort !== undefined && result.sourcePort !== result.localPort,
  )?.result;
  return [
    ...(logged ? [`log of ${logged.server}: ${logged.line}`] : []),
    ...(captured.length > 0
      ? [
          `capture on entry node ${plan.entry?.node}: ${packets} packets of the replies to ${captured.length} attempts left it`,
        ]
      : []),
    ...(rewritten
      ? [`the server saw source port ${rewritten.sourcePort}, the client used ${rewritten.localPort}`]
      : []),
  ];
}
