import { firstFew } from "../../../model/first-few.ts";
import type { JudgedEnd } from "../../../model/flow/judged.ts";
import type { TierAnswer } from "../../../model/policy/explain.ts";
import type { ExplainedVerdict, StagedVerdict } from "../flows/staged-verdicts.ts";
import type { EndAnswer, NodeAnswer } from "./answers.ts";

/** The explanations of the nodes of both ends, for people. Nodes that have neither end contribute nothing. */
export function explanationLines(answers: readonly NodeAnswer[]): string[] {
  const [first] = answers;
  if (!first) return ["No agent answered."];
  const { from, service, sourceRanges } = answers.find((answer) => answer.service !== undefined) ?? first;
  const intro = service ? [`${service} is a Service, whose backends decide for themselves:`, ""] : [];
  if (sourceRanges) {
    const ranges = firstFew(sourceRanges.ranges) || "no network of this address family";
    const among = `${from.name} is ${sourceRanges.allows ? "" : "not "}among its source ranges (${ranges})`;
    if (!sourceRanges.allows) return [...intro, `refused: ${among}`];
    intro.splice(1, 0, among);
  }
  const ways = new Map(answers.flatMap((answer) => answer.ways.map((way) => [keyOf(way.to), way.to] as const)));
  if (ways.size === 0) return [...intro, `no backend is ready: ${from.name} is refused at once`];
  const blocks = [...ways.values()].map((to) => {
    const taken = answers.flatMap(({ node, ways }) =>
      ways.filter((way) => keyOf(way.to) === keyOf(to)).map((way) => ({ ...way, node })),
    );
    const ends = wayLines(taken.flatMap((way) => way.ends));
    const staged = stagedLines(taken.flatMap((way) => way.staged ?? []));
    return [`${from.name} → ${to.name} port ${to.port}`, ...routeLines(taken), ...ends, ...staged];
  });
  return [...intro, ...blocks.flatMap((lines, index) => (index > 0 ? ["", ...lines] : lines))];
}

/** All nodes give the same answer about pods' policies, and each its own about its host endpoints. */
function strictest(said: readonly StagedVerdict[]): StagedVerdict | undefined {
  const first = (wanted: StagedVerdict["verdict"]) => said.find(({ verdict }) => verdict === wanted);
  return first("denied") ?? first("depends") ?? said[0];
}

const STAGED_WORDS = { allowed: "allowed", denied: "refused", depends: "refused in some cases" } as const;

/** The answers under staged policies of the ends that now answer otherwise, each once, and the result for the flow. */
function stagedLines(said: readonly ExplainedVerdict[]): string[] {
  const staged = strictest(said);
  if (!staged) return [];
  const { verdict, reason, differs } = staged;
  const ends = new Map(said.flatMap((one) => one.ends).map((end) => [JSON.stringify(end), end]));
  return [
    ...[...ends.values()].flatMap(stagedEndLines),
    `  = with the staged policies: ${differs ? "" : "also "}${STAGED_WORDS[verdict]}${reason ? `: ${reason}` : ""}`,
  ];
}

function stagedEndLines({ direction, end, policies, tiers, verdict, reason, undecided }: JudgedEnd): string[] {
  const ending = undecided ? "the later policies are asked" : `${STAGED_WORDS[verdict]}${reason ? `, ${reason}` : ""}`;
  return [
    `  with the staged policies, ${direction} of ${end}: ${policies || reason || "no policy applies"}`,
    ...tiers.flatMap(tierLines),
    ...(policies && (tiers.length === 0 || tiers.at(-1)?.verdict === "pass" || verdict === "depends")
      ? [`    then: ${ending}`]
      : []),
  ];
}

/** A client outside the cluster may enter by any node that answers. */
function routeLines(ways: readonly { node: string; route?: string }[]): string[] {
  const byRoute = Map.groupBy(
    ways.filter(({ route }) => route !== undefined),
    ({ route }) => route,
  );
  return [...byRoute].map(([route, from]) => `  from ${nodesText(from.map(({ node }) => node))}: ${route}`);
}

function nodesText(nodes: readonly string[]): string {
  return `${nodes.length === 1 ? "node" : "nodes"} ${firstFew(nodes)}`;
}

function keyOf({ address, port }: { address: string; port: number }): string {
  return `${address} ${port}`;
}

/** Egress before ingress, as packets meet them. */
function wayLines(ends: readonly EndAnswer[]): string[] {
  const inOrder = ends.toSorted((a, b) => a.direction.localeCompare(b.direction));
  const refusing = inOrder.find(({ verdict }) => verdict === "deny");
  const end = refusing ? `refused: ${refusing.reason}` : "allowed";
  return [...inOrder.flatMap(endLines), `  = ${inOrder.length === 0 ? "allowed: no policy is asked about it" : end}`];
}

function endLines(answer: EndAnswer): string[] {
  const { direction, end, node, policies, peer, tiers, verdict, reason, differs } = answer;
  return [
    `  ${direction} of ${end}, on node ${node}: ${policies || reason}`,
    ...(policies ? [`    the other end is told by: ${peer.join("; ") || "nothing that a policy names"}`] : []),
    ...tiers.flatMap(tierLines),
    ...(policies && tiers.at(-1)?.reason !== reason ? [`    then: ${verdict}, ${reason}`] : []),
    ...(differs ? ["    the kernel's maps say otherwise at the moment: a change is being written"] : []),
  ];
}

function tierLines({ tier, verdict, reason, logs }: TierAnswer): string[] {
  return [...logs.map((log) => `    tier ${tier}: log, by ${log}`), `    tier ${tier}: ${verdict}, by ${reason}`];
}
