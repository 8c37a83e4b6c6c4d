import type { AttemptResult } from "../../agent/probe/batch.ts";
import { type ClusterView, podName } from "../cluster/view.ts";
import { parseServer, parseSource } from "../format/place.ts";
import type { Expectation } from "../format/schema.ts";
import { matches, NotYet, ownerOf, sourceAddresses } from "./lookup.ts";
import type { Plan } from "./plan.ts";
import { type Replies, repliesThroughEntry } from "./reply-path.ts";
import type { LogEvidence } from "./server-log.ts";
import type { Machine } from "./world.ts";

/** Everything a round learned that bears on one expectation. */
export interface Findings {
  view: ClusterView;
  machines: Machine[];
  plan: Plan;
  results: AttemptResult[];
  logs: Map<string, LogEvidence>;
  replies: Replies;
}

/** Whether an expectation held in a round, what was seen, in words, and what each claim rests on. */
export interface Judgement {
  expectation: Expectation;
  pass: boolean;
  observed: string;
  evidence: string[];
}

/** One attempt with what is known about its server. */
interface Seen {
  result: AttemptResult;
  server?: string;
  source?: string;
  log?: LogEvidence;
  /** Packets of the reply that left the entry node; undefined where nobody looked. */
  throughEntry?: number;
  servedByEntry: boolean;
}

/** Judges without clock, cluster or probes: the same findings give the same judgement. */
export function judge(findings: Findings): Judgement {
  const { plan, results } = findings;
  const { expectation } = plan;
  const notYet = plan.notYet ?? sourceNotYet(findings);
  if (notYet) return { expectation, pass: false, observed: `not probed: ${notYet}`, evidence: [] };
  const attempts = results.map((result) => see(findings, result));
  const wrong = attempts.flatMap((seen) => problems(findings, seen));
  const tooFew = expectation.count * plan.probes.length - results.length;
  if (tooFew > 0 && wrong.length === 0) wrong.push(`${tooFew} attempts gave no result`);
  const servers = new Set(attempts.flatMap(({ server }) => server ?? []));
  if (expectation.spread !== undefined && servers.size < expectation.spread) {
    wrong.push(
      `${servers.size} distinct servers answered, not ${expectation.spread}: ${[...servers].join(", ") || "none"}`,
    );
  }
  const pass = wrong.length === 0;
  return {
    expectation,
    pass,
    observed: tally(attempts, expectation),
    evidence: [...tallied(wrong), ...grounds(attempts, plan)],
  };
}

function sourceNotYet({ view, machines, plan }: Findings): string | undefined {
  try {
    for (const source of sourcesOf(plan.expectation)) sourceAddresses(view, machines, parseSource(source));
  } catch (error) {
    if (error instanceof NotYet) return `source: ${error.message}`;
    throw error;
  }
  return undefined;
}

function sourcesOf({ source }: Expectation): string[] {
  if (source === undefined) return [];
  return typeof source === "string" ? [source] : source.anyOf;
}

function see({ view, plan, logs, replies }: Findings, result: AttemptResult): Seen {
  const log = logs.get(`${result.id}.${result.attempt}`);
  const server = result.server ?? log?.server;
  const node = view.pods.find((pod) => podName(pod) === server)?.spec?.nodeName;
  const throughEntry =
    plan.entry && result.verdict === "allowed" ? repliesThroughEntry(replies, plan, result) : undefined;
  const servedByEntry = node !== undefined && node === plan.entry?.node;
  return { result, server, source: result.source ?? log?.source, log, throughEntry, servedByEntry };
}

/** What about one attempt is not as expected; empty when all is. */
function problems(findings: Findings, seen: Seen): string[] {
  const { view, machines, plan } = findings;
  const { verdict, servers } = plan.expectation;
  const { result, server, source } = seen;
  if (result.verdict === "none") return [describeVerdict(result)];
  if (result.verdict !== verdict) {
    const how = result.verdict === "dropped" && result.error ? ` (${result.error})` : "";
    return [`${describeVerdict(result)}${how}, not ${verdict}`];
  }
  if (verdict !== "allowed") return [];

  const wrong: string[] = [];
  const sources = sourcesOf(plan.expectation);
  const allowed = sources.flatMap((text) => sourceAddresses(view, machines, parseSource(text)));
  if (sources.length > 0 && source === undefined)
    wrong.push("nobody recorded whom the server saw: it said nothing, and no log line holds the probe's token");
  if (sources.length > 0 && source !== undefined && !allowed.includes(source)) {
    const owner = ownerOf(view, machines, source);
    wrong.push(`the server saw ${source}${owner ? ` (${owner})` : ""}, not ${sources.join(" or ")}`);
  }
  if (servers && !servers.some((text) => isServer(view, server, text))) {
    wrong.push(`${server ?? "an unknown server"} answered, not ${servers.join(" or ")}`);
  }
  return [...wrong, ...replyProblems(seen, plan.expectation)];
}

function isServer(view: ClusterView, server: string | undefined, text: string): boolean {
  const selection = parseServer(text);
  if (selection.name !== undefined) return server === `${selection.namespace}/${selection.name}`;
  return view.pods.some((pod) => podName(pod) === server && matches(pod, selection));
}

/**
 * A server on the entry node itself satisfies both: its reply takes no way through another node, and it does leave the
 * entry node.
 */
function replyProblems({ throughEntry = 0, servedByEntry }: Seen, { reply }: Expectation): string[] {
  if (reply === "direct" && throughEntry > 0 && !servedByEntry)
    return ["the reply came through the entry node, not direct"];
  if (reply === "viaEntryNode" && throughEntry === 0)
    return ["no packet of the reply left the entry node, so it came direct"];
  return [];
}

function describeVerdict({ verdict, error }: AttemptResult): string {
  if (verdict === "none") return `not probed: ${error}`;
  return error && verdict !== "dropped" ? `${verdict} (${error})` : verdict;
}

/** `allowed from 172.31.1.55, reply direct`; with several kinds of outcome, each with its number. */
function tally(attempts: Seen[], { reply, servers, spread }: Expectation): string {
  if (attempts.length === 0) return "not probed: no result came back";
  const words = attempts.map(({ result, source, server, throughEntry, servedByEntry }) => {
    const parts = [`${describeVerdict(result)}${source ? ` from ${source}` : ""}`];
    if ((servers || spread) && server) parts.push(`by ${server}`);
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
function grounds(attempts: Seen[], plan: Plan): string[] {
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
