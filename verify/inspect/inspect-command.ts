import { type ConnectionFilter, connectionFilter } from "../../agent/observe/inspect/connection-filter.ts";
import { type PoolUseLine, poolUseView } from "../../agent/observe/inspect/ipam.ts";
import { asTable, type View } from "../../agent/observe/inspect/table.ts";
import { widthOf } from "../../components/program/fit.ts";
import { didYouMean } from "../../components/refusal/suggestion.ts";
import { FormatError } from "../../model/expectation/place.ts";
import { answerOf } from "../answer.ts";
import { agentOn } from "../cluster/view.ts";
import { NoCluster } from "../connect.ts";
import { failed } from "../failed.ts";
import { type ClusterOptions, noAgent, reachCluster } from "../watch/agents.ts";
import { firstAnswer, type Inspect, inspecting, nodeNames, viewsOf } from "./ask-nodes.ts";
import { fitted } from "./fitted.ts";
import { inspection, mergedView } from "./merge.ts";
import { namesOf } from "./names.ts";
import { POOLS, VIEWS } from "./views.ts";

export interface InspectOptions extends ClusterOptions {
  /** Only this node; absent: all. */
  node?: string;
  client?: string;
  frontend?: string;
  json: boolean;
  output?: string;
}

/** Shows a view of the maps of all nodes. @returns the exit status: 1 if a node did not answer, 2 if none could be asked */
export async function inspectCommand(kind: string, options: InspectOptions): Promise<number> {
  try {
    const words = wordsOf(kind, options);
    const json = options.json || options.output === "json";
    const reached = await reachCluster(options);
    const nodes = chosenNodes(nodeNames(reached.view), options.node);
    if (nodes.length === 0) throw new NoCluster(`the cluster ${reached.api.server} has no node`);
    if (!nodes.some((node) => agentOn(reached.view, node)) && options.node === undefined) throw noAgent(reached);
    const inspect = inspecting(reached);
    if (kind === POOLS) {
      const pools = await poolsOf(nodes, inspect);
      console.log(
        json
          ? JSON.stringify({ cluster: reached.api.server, view: kind, pools }, null, 2)
          : asTable(fitted(poolUseView(pools), widthOf(process.stdout))),
      );
      return 0;
    }
    const views = await viewsOf(nodes, words, inspect);
    const names = namesOf(reached.view);
    const silent = views.filter(({ problem }) => problem);
    if (json) console.log(JSON.stringify(inspection(kind, reached.api.server, views, names), null, 2));
    else if (silent.length < views.length)
      console.log(firstRows(mergedView(kind, views, names), widthOf(process.stdout)));
    for (const { node, problem } of silent) console.error(`node ${node}: ${problem}`);
    if (silent.length === views.length) return 2;
    return silent.length > 0 ? 1 : 0;
  } catch (error) {
    return failed(error);
  }
}

/** The most rows of a table: nobody reads more, and drawing them takes long. */
const MOST_ROWS = 1_000;

/** @param width of the terminal; absent: the table is as wide as its cells */
export function firstRows(view: View, width?: number): string {
  const more = view.rows.length - MOST_ROWS;
  const table = asTable(fitted({ ...view, rows: view.rows.slice(0, MOST_ROWS) }, width));
  return more > 0
    ? `${table}\n… and ${more} more rows; fewer with --node, of connections with --client or --frontend; all with --output json`
    : table;
}

export async function poolsOf(nodes: readonly string[], inspect: Inspect): Promise<PoolUseLine[]> {
  const lines = (await firstAnswer(nodes, [POOLS], inspect)).split("\n").filter(Boolean);
  return lines.map((line) => answerOf(line) as PoolUseLine);
}

/** The question to an agent. @throws FormatError */
export function wordsOf(kind: string, given: ConnectionFilter): string[] {
  if (!VIEWS.includes(kind))
    throw new FormatError(`there is no view "${kind}"${didYouMean(kind, VIEWS)}`, VIEWS.join(", "));
  const filter = Object.entries(connectionFilter(given)).flatMap(([name, value]) => [`--${name}`, value]);
  if (filter.length > 0 && kind !== "connections")
    throw new FormatError(`inspect ${kind} has no ${filter[0]}`, "inspect connections with --client or --frontend");
  return [kind, ...filter];
}

function chosenNodes(all: readonly string[], one: string | undefined): readonly string[] {
  if (one === undefined) return all;
  if (all.includes(one)) return [one];
  throw new FormatError(`there is no node "${one}"${didYouMean(one, all)}`, all.join(", "));
}
