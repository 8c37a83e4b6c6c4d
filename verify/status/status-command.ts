import { asTable, type View } from "../../agent/observe/inspect/table.ts";
import { statusLines } from "../../agent/observe/status/status-lines.ts";
import { hanging, widthOf } from "../../components/program/fit.ts";
import { isAway } from "../../kubernetes/errors.ts";
import { until } from "../../kubernetes/patience.ts";
import { asText } from "../../model/printable.ts";
import { readView } from "../cluster/view.ts";
import { LabAtWork } from "../connect.ts";
import { failed } from "../failed.ts";
import { fitted } from "../inspect/fitted.ts";
import { type ClusterOptions, type Reached, reachCluster } from "../watch/agents.ts";
import type { ClusterStatus, NodeReport } from "./cluster-status.ts";
import { asking, nodeReports } from "./node-reports.ts";

export interface StatusOptions extends ClusterOptions {
  json: boolean;
  /** Seconds to wait until every node is ready; true: the default. */
  wait?: number | true;
}

const WAIT_SECONDS = 300;

/** Reports the state of the dataplane on each node. @returns the exit status: 0 every node is ready, 1 one is not, 2 no node could be
 * asked */
export async function statusCommand(options: StatusOptions): Promise<number> {
  try {
    const seconds = options.wait === true ? WAIT_SECONDS : (options.wait ?? 0);
    const status = await waited(options, seconds);
    if (options.json) console.log(JSON.stringify(status, null, 2));
    else {
      const width = widthOf(process.stdout);
      console.log(hanging(clusterLines(status, (view) => asTable(fitted(view, width))).join("\n"), width));
    }
    return status.ready ? 0 : 1;
  } catch (error) {
    return failed(error);
  }
}

/** The state of the cluster when it is ready, or when the time is up.
 * @param reach how the cluster is found
 * @throws NoCluster if it cannot be asked even then */
export async function waited(
  options: ClusterOptions,
  seconds: number,
  reach: typeof reachCluster = reachCluster,
  everyMs?: number,
): Promise<ClusterStatus> {
  let reached: Reached | undefined;
  let status: ClusterStatus | undefined;
  const look = async (): Promise<string | undefined> => {
    try {
      const view = reached ? await readView(reached.api) : undefined;
      reached ??= await reach(options);
      const { api } = reached;
      status = clusterStatus(api.server, await nodeReports(view ?? reached.view, asking(api)));
      return status.ready ? undefined : (firstProblem(status.nodes) ?? "the cluster has no node");
    } catch (error) {
      // A lab that is being made, and an API server that restarts: as the command `up` and an upgrade do.
      if (error instanceof LabAtWork) return error.why;
      if (reached && isAway(error)) return error.message;
      throw error;
    }
  };
  const missing = await until(look, seconds, (line) => console.error(line), everyMs === undefined ? {} : { everyMs });
  if (status) return status;
  throw new LabAtWork(missing ?? "nobody could be asked");
}

export function clusterStatus(cluster: string, nodes: NodeReport[], at = new Date()): ClusterStatus {
  const ready = nodes.length > 0 && nodes.every(({ problems }) => problems.length === 0);
  return { ready, at: at.toISOString(), cluster, nodes };
}

function firstProblem(nodes: readonly NodeReport[]): string | undefined {
  const [bad] = nodes.filter(({ problems }) => problems.length > 0);
  return bad && `node ${bad.node}: ${bad.problems[0]}`;
}

/** For people: problems first. @param draw makes a table of a view */
export function clusterLines({ cluster, nodes }: ClusterStatus, draw?: (view: View) => string): string[] {
  const good = nodes.filter(({ problems }) => problems.length === 0).length;
  const images = [...new Set(nodes.flatMap(({ image }) => image ?? []))];
  return [
    `${good} of ${nodes.length} nodes are ready at ${cluster} (${images.join(", ") || "no agent"})`,
    ...nodes.flatMap(({ node, problems }) => problems.map((problem) => `  ✗ ${node}: ${problem}`)),
    ...(images.length > 1 ? [`  ✗ agents of ${images.length} versions run: an upgrade is under way, or stopped.`] : []),
    "",
    ...statusLines(
      nodes.flatMap(({ status }) => status ?? []),
      draw,
    ),
  ].map(asText);
}
