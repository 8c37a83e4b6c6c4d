import type { Expectation } from "../../components/documents/check.ts";
import type { PodSelection } from "../../model/expectation/place.ts";
import type { AttemptResult } from "../../probe/batch.ts";
import type { Seen } from "../../report/results/verification.ts";
import { type ClusterView, podName } from "../cluster/view.ts";
import { tallied, tally } from "../words/observed.ts";
import { reasonInWords } from "../words/reason.ts";
import { type Attempt, attemptWithServer, type Findings, factsOf } from "./attempt.ts";
import { addressOf, podsOf } from "./behind.ts";
import { handlingOn, refusalOf, sourceReason, unknownSource } from "./explain.ts";
import { isPrograms } from "./idle-servers.ts";
import { isOurs, matches, NotYet, sourceAddresses } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import type { Reason } from "./reason.ts";

/** Whether an expectation held in a round, the observation in words, and the evidence. */
export interface Assessment {
  expectation: Expectation;
  pass: boolean;
  /** Why the result is not known: a prober or a server had no CPU. Neither pass nor fail. */
  undecided?: string;
  /** It cannot be decided there at all. */
  unsupported?: boolean;
  observed: string;
  /** Deviations from the expectation. */
  reasons: Reason[];
  evidence: string[];
  /** The same as facts. */
  seen: Seen[];
}

/** The result of an expectation that was not tried. */
export function untried(expectation: Expectation, reason: Reason): Assessment {
  return { expectation, pass: false, observed: reasonInWords(reason), reasons: [reason], evidence: [], seen: [] };
}

/** Assesses without clock, cluster or probes: the same observations give the same assessment. */
export function assess(findings: Findings): Assessment {
  const { plan, results } = findings;
  const { expectation } = plan;
  const missing = missingOf(findings);
  if (missing) return untried(expectation, missing);
  const attempts = results.map((result) => attemptWithServer(findings, result));
  const wrong = attempts.flatMap((attempt) => reasonsOf(findings, attempt));
  const tooFew = expectation.count * plan.probes.length - results.length;
  if (tooFew > 0 && wrong.length === 0) wrong.push({ code: "attemptsMissing", count: tooFew });
  wrong.push(...spreadReasons(expectation, attempts, wrong.length === 0));
  const open = attempts.flatMap((attempt) => undecided(findings, attempt) ?? []);
  const isOpen = wrong.length === 0 && open[0] !== undefined;
  const why = isOpen ? open : wrong.map(reasonInWords);
  return {
    expectation,
    pass: wrong.length === 0 && !isOpen,
    ...(isOpen && { undecided: open[0] }),
    ...(isOpen && results.some(({ unsupported }) => unsupported) && { unsupported: true }),
    observed: tally(
      expectation,
      attempts.map((attempt) => ({ ...attempt, undecided: undecided(findings, attempt) })),
    ),
    reasons: wrong,
    evidence: [...tallied(why), ...grounds(attempts, plan)],
    seen: factsOf(findings, attempts),
  };
}

/** Why nothing was tried. */
function missingOf({ view, machines, plan }: Findings): Reason | undefined {
  if (plan.lost) return { code: "proberLost", message: plan.lost, onNode: true };
  if (plan.notYet) return { code: "missing", what: plan.notYet };
  try {
    for (const { value } of plan.expectation.source ?? []) sourceAddresses(view, machines, value);
  } catch (error) {
    if (error instanceof NotYet) return { code: "missing", what: `source: ${error.message}` };
    throw error;
  }
  return undefined;
}

/** @param alone whether nothing else is wrong */
function spreadReasons({ spread, spreadAtMost }: Expectation, attempts: Attempt[], alone: boolean): Reason[] {
  const servers = [...new Set(attempts.flatMap(({ server }) => server ?? []))];
  const few = spread !== undefined && servers.length < spread;
  const reasons: Reason[] = few ? [{ code: "tooFewServers", servers, least: spread }] : [];
  if (spreadAtMost === undefined) return reasons;
  if (servers.length > spreadAtMost) reasons.push({ code: "tooManyServers", servers, most: spreadAtMost });
  if (servers.length === 0 && alone && !few) reasons.push({ code: "serversUnknown" });
  return reasons;
}

/** Why an attempt shows nothing about the dataplane: this side or the server had no CPU. */
function undecided({ view, plan, idle }: Findings, { result }: Attempt): string | undefined {
  if (result.unsupported)
    return `${plan.expectation.from.text} cannot send ${plan.destination.protocol.toUpperCase()}: ${result.unsupported}`;
  if (result.undecided) return `${plan.expectation.from.text}: ${result.undecided}`;
  if (!isPrograms(plan, result)) return undefined;
  return podsOf(view, plan, result)
    .map((pod) => idle.get(podName(pod)))
    .find((why) => why !== undefined);
}

/** Deviations of one attempt; empty if there are none, or if nothing is known. */
function reasonsOf(findings: Findings, attempt: Attempt): Reason[] {
  if (undecided(findings, attempt)) return [];
  const { view, plan } = findings;
  const { verdict, from } = plan.expectation;
  const { result } = attempt;
  if (result.verdict === "none") return [notSent(result, from.value.kind !== "machine")];
  // Silence is evidence about the dataplane only if a packet was sent.
  if (result.unsent && isOurs(view, addressOf(plan, result)))
    return [{ code: "unsent", from: from.text, why: result.unsent }];
  if (result.verdict !== verdict) {
    const refusal = result.verdict === "rejected" && verdict === "allowed" ? refusalOf(findings, attempt) : undefined;
    return [{ code: "otherVerdict", observed: result.verdict, expected: verdict, error: result.error, refusal }];
  }
  return verdict === "allowed" ? answerReasons(findings, attempt) : [];
}

function notSent({ error = "", cause }: AttemptResult, onNode: boolean): Reason {
  if (cause === "lost") return { code: "proberLost", message: error, onNode };
  return { code: cause === "unresolved" ? "unresolved" : "notSent", message: error };
}

/** Deviations of an answered attempt: the source that the server saw, the answering server, the reply's path. */
function answerReasons(findings: Findings, attempt: Attempt): Reason[] {
  const { view, machines, plan } = findings;
  const { source: sources = [], servers } = plan.expectation;
  const { server, source } = attempt;
  const wrong: Reason[] = [];
  const allowed = sources.flatMap(({ value }) => sourceAddresses(view, machines, value));
  if (sources.length > 0 && source === undefined) wrong.push(unknownSource(findings, attempt));
  if (sources.length > 0 && source !== undefined && !allowed.includes(source)) {
    const written = sources.map(({ text }) => text);
    wrong.push(sourceReason(findings, attempt, written));
  }
  if (servers && !servers.some(({ value }) => isServer(view, server, value)))
    wrong.push({ code: "otherServer", server, allowed: servers.map(({ text }) => text) });
  return [
    ...wrong,
    ...httpReasons(findings, attempt),
    ...echoReasons(findings, attempt),
    ...replyReasons(findings, attempt),
  ];
}

function isServer(view: ClusterView, server: string | undefined, selection: PodSelection): boolean {
  if (selection.name !== undefined) return server === `${selection.namespace}/${selection.name}`;
  return view.pods.some((pod) => podName(pod) === server && matches(pod, selection));
}

function httpReasons({ plan: { expectation } }: Findings, { result }: Attempt): Reason[] {
  const { http } = expectation;
  if (!http || result.status === http.status) return [];
  const { status: observed, answer } = result;
  return [{ code: "otherStatus", observed, expected: http.status, path: http.path, answer }];
}

function echoReasons({ plan: { expectation } }: Findings, { result }: Attempt): Reason[] {
  const { size } = expectation;
  const { echoed = 0, differsAt, answer, error } = result;
  if (size === undefined || echoed === size) return [];
  return [{ code: "otherEcho", echoed, size, differsAt, answer, error }];
}

/**
 * A server on the entry node itself satisfies both: its reply passes no other node, and it does leave the
 * entry node.
 */
function replyReasons(findings: Findings, { throughEntry = 0, servedByEntry }: Attempt): Reason[] {
  const { expectation, entry } = findings.plan;
  const facts = { ...handlingOn(findings, entry?.node), node: entry?.node };
  if (expectation.reply === "direct" && throughEntry > 0 && !servedByEntry) return [{ code: "replyDetour", ...facts }];
  if (expectation.reply === "viaEntryNode" && throughEntry === 0) return [{ code: "replyShortcut", ...facts }];
  return [];
}

/** The evidence: a line of the server's log, packets counted on the entry node, a port that was rewritten. */
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
