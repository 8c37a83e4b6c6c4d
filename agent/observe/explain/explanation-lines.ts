import type { EndAnswer, NodeAnswer } from "./explainer.ts";

/** What the nodes of both ends say, for people. Nodes that have neither end say nothing. */
export function explanationLines(answers: readonly NodeAnswer[]): string[] {
  const [first] = answers;
  if (!first) return ["No agent answered."];
  const { from, service } = answers.find((answer) => answer.service !== undefined) ?? first;
  const intro = service ? [`${service} is a Service, whose backends decide for themselves:`, ""] : [];
  const ways = new Map(answers.flatMap((answer) => answer.ways.map((way) => [keyOf(way.to), way.to] as const)));
  if (ways.size === 0) return [...intro, `no backend is ready: ${from.name} is refused at once`];
  const blocks = [...ways.values()].map((to) => {
    const ends = answers.flatMap((answer) => answer.ways.filter((way) => keyOf(way.to) === keyOf(to)));
    return [`${from.name} → ${to.name} port ${to.port}`, ...wayLines(ends.flatMap((way) => way.ends))];
  });
  return [...intro, ...blocks.flatMap((lines, index) => (index > 0 ? ["", ...lines] : lines))];
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
    ...tiers.flatMap(({ tier, verdict, reason, logs }) => [
      ...logs.map((log) => `    tier ${tier}: log, by ${log}`),
      `    tier ${tier}: ${verdict}, by ${reason}`,
    ]),
    ...(policies && tiers.at(-1)?.reason !== reason ? [`    then: ${verdict}, ${reason}`] : []),
    ...(differs ? ["    the kernel's maps say otherwise at the moment: a change is being written"] : []),
  ];
}
