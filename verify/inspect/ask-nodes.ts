// Asks the agents of nodes for a view of their maps.
import { z } from "zod";
import { execInPod } from "../../kubernetes/exec.ts";
import { failureLine } from "../actors/actor.ts";
import { answerOf } from "../answer.ts";
import { agentOn, type ClusterView } from "../cluster/view.ts";
import { NoCluster } from "../connect.ts";
import { AGENT_PROGRAM, agentContainer, type Reached } from "../watch/agents.ts";

/** A row of a view, by its columns. */
const rowSchema = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
export type Row = z.output<typeof rowSchema>;

/** A node's answer, or why there is none. */
export interface NodeView {
  readonly node: string;
  readonly rows: Row[];
  readonly problem?: string;
}

/** Runs `inspect …` on a node. @returns its output. @throws Error with the node's message, or the reason why it cannot be reached */
export type Inspect = (node: string, words: readonly string[]) => Promise<string>;

/** How long a node may take to answer. A table of a million connections takes long. */
const ANSWER_MS = 120_000;

/** Through the API server. */
export function inspecting({ api, view }: Pick<Reached, "api" | "view">): Inspect {
  return async (node, words) => {
    const pod = agentOn(view, node);
    if (!pod) throw new Error("no agent of the dataplane runs there");
    const lines: string[] = [];
    const command = [...AGENT_PROGRAM, "inspect", ...words];
    const running = await execInPod(api, agentContainer(pod), command, (line) => lines.push(line));
    const late = setTimeout(() => running.abort(), ANSWER_MS);
    const { code, stderr } = await running.ended.finally(() => clearTimeout(late));
    if (code !== 0) throw new Error(failureLine(stderr, `ended with ${code}`));
    return lines.join("\n");
  };
}

/** The answers of all nodes, in the order of their names; a node that does not answer has a problem in place of rows. */
export function viewsOf(nodes: readonly string[], words: readonly string[], inspect: Inspect): Promise<NodeView[]> {
  const ask = async (node: string): Promise<NodeView> => {
    try {
      const answer = answerOf((await inspect(node, [...words, "--json"])) || "[]");
      return { node, rows: z.array(rowSchema).parse(answer) };
    } catch (error) {
      return { node, rows: [], problem: (error as Error).message };
    }
  };
  return Promise.all(nodes.toSorted().map(ask));
}

/** A view that is the same on every node, from the first agent that answers. @throws NoCluster if none does */
export async function firstAnswer(
  nodes: readonly string[],
  words: readonly string[],
  inspect: Inspect,
): Promise<string> {
  let problem = "there is no node";
  for (const node of nodes) {
    try {
      return await inspect(node, [...words, "--json"]);
    } catch (error) {
      problem = `node ${node}: ${(error as Error).message}`;
    }
  }
  throw new NoCluster(problem);
}

export const nodeNames = ({ nodes }: Pick<ClusterView, "nodes">): string[] =>
  nodes.flatMap(({ metadata }) => metadata?.name ?? []);
