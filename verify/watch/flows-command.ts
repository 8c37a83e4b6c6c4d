import { createWriteStream, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import pc from "picocolors";
import { FormatError } from "../../model/expectation/place.ts";
import { type KeptFilter, readFilter } from "../../model/flow/filter.ts";
import { flowLogLineText } from "../../model/flow/line-text.ts";
import { type FlowLogLine, flowLogLine } from "../../model/flow/record.ts";
import { NoCluster } from "../connect.ts";
import { fileProblem } from "../file-errors.ts";
import { Stopped, stopOnSignal, stoppedStatus, unlessStopped } from "../stopping.ts";
import { askEachNode, type ClusterOptions, reachCluster } from "./agents.ts";
import { type AskedNode, sayMissing } from "./ask-nodes.ts";

export interface FlowsOptions extends ClusterOptions, KeptFilter {
  /** The file that is written. */
  out: string;
  /** Whether each line is printed too. */
  show: boolean;
}

/** Collects the flow logs of all nodes into one file. @returns the exit status: 1 if a node is missing, 2 if there is no log */
export async function flowsCommand({ out, show, ...options }: FlowsOptions): Promise<number> {
  const stopping = stopOnSignal();
  try {
    const { namespace, verdict, port, staged } = readFilter(options);
    const words = Object.entries({ namespace, verdict, port }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    );
    if (staged) words.push("--staged");
    const reached = await reachCluster(options);
    const ask: AskAll = (hear) => unlessStopped(stopping, askEachNode(reached, ["flow-log", ...words], hear));
    const { asked, text } = await collect(ask, out, show);
    if (text !== undefined) console.error(`wrote ${out}: ${text}`);
    const status = sayMissing(asked, "their flows are not in the log");
    if (text === undefined && status !== 2) throw new NoCluster(NO_LOG);
    return status;
  } catch (error) {
    if (error instanceof Stopped) return stoppedStatus;
    const file = fileProblem(error);
    console.error(file ?? (error as Error).message);
    return file || error instanceof NoCluster || error instanceof FormatError ? 2 : 1;
  }
}

type AskAll = (hear: (record: unknown, node: string) => void) => Promise<AskedNode[]>;

/** Writes the lines of all nodes into a file. An earlier file stays if no node has a log. @returns what was collected, or nothing */
export async function collect(ask: AskAll, out: string, show: boolean): Promise<{ asked: AskedNode[]; text?: string }> {
  mkdirSync(dirname(out), { recursive: true });
  const draft = `${out}.new`;
  const file = createWriteStream(draft);
  const written = finished(file);
  written.catch(() => {}); // awaited at the end
  try {
    const collected = new Collected();
    const asked = await ask((record, node) => {
      const line = flowLogLine.safeParse(record);
      if (!line.success) return;
      const own = { ...line.data, node };
      collected.add(own);
      file.write(`${JSON.stringify(own)}\n`);
      if (show) console.log(flowLogLineText(own, pc));
    });
    file.end();
    await written;
    if (collected.lines === 0) return { asked };
    renameSync(draft, out);
    const answered = asked.filter(({ problem }) => problem === undefined);
    return { asked, text: collected.text(answered.map(({ node }) => node)) };
  } finally {
    file.destroy();
    rmSync(draft, { force: true });
  }
}

const NO_LOG =
  "no node that answered has a flow log. Next: switch it on with flowLog of the Dataplane, or flowLogsFileEnabled: true in the " +
  "FelixConfiguration default, and let some time pass.";

/** The parts of a collection. */
class Collected {
  lines = 0;
  #flows = 0;
  #lost = 0;
  readonly #nodes = new Set<string>();

  add(line: FlowLogLine): void {
    this.lines++;
    this.#nodes.add(line.node);
    if (line.type === "flow") this.#flows++;
    else this.#lost += line.lostConnections + line.lostRefusals;
  }

  text(all: string[]): string {
    const without = all.filter((node) => !this.#nodes.has(node));
    return [
      `${this.#flows} lines of flows of ${[...this.#nodes].sort().join(", ")}`,
      ...(this.#lost > 0
        ? [`${this.#lost} events were counted but not named, because there were too many at once`]
        : []),
      ...(without.length > 0 ? [`no flow log on ${without.join(", ")}`] : []),
    ].join("; ");
  }
}
