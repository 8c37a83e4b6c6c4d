import { once } from "node:events";
import { createWriteStream, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import pc from "picocolors";
import { FormatError } from "../../model/expectation/place.ts";
import { type KeptFilter, readFilter } from "../../model/flow/filter.ts";
import { flowLogLineText } from "../../model/flow/line-text.ts";
import { type FlowLogLine, flowLogLine } from "../../model/flow/record.ts";
import { NoCluster } from "../connect.ts";
import { fileProblem } from "../file-errors.ts";
import { type ClusterOptions, inspectEachNode, reachCluster } from "./agents.ts";

export interface FlowsOptions extends ClusterOptions, KeptFilter {
  /** The file that is written. */
  out: string;
  /** Whether each line is printed too. */
  show: boolean;
}

/** Collects the flow logs of all nodes into one file. @returns the exit status */
export async function flowsCommand({ out, show, ...options }: FlowsOptions): Promise<number> {
  try {
    const { namespace, verdict, port, staged } = readFilter(options);
    const words = Object.entries({ namespace, verdict, port }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    );
    if (staged) words.push("--staged");
    const reached = await reachCluster(options);
    mkdirSync(dirname(out), { recursive: true });
    // An earlier log stays if this one does not come about.
    const draft = `${out}.new`;
    const file = createWriteStream(draft);
    const collected = new Collected();
    const nodes = await inspectEachNode(reached, ["flow-log", ...words], (record) => {
      const line = flowLogLine.safeParse(record);
      if (!line.success) return;
      collected.add(line.data);
      file.write(`${JSON.stringify(line.data)}\n`);
      if (show) console.log(flowLogLineText(line.data, pc));
    });
    await Promise.all(nodes.map((one) => one.ended));
    file.end();
    await once(file, "close");
    if (collected.lines === 0) {
      rmSync(draft);
      throw new NoCluster(NO_LOG);
    }
    renameSync(draft, out);
    console.error(`wrote ${out}: ${collected.text(nodes.map(({ node }) => node))}`);
    return 0;
  } catch (error) {
    const file = fileProblem(error);
    console.error(file ?? (error as Error).message);
    return file || error instanceof NoCluster || error instanceof FormatError ? 2 : 1;
  }
}

const NO_LOG =
  "no node has a flow log. Next: switch it on with flowLog of the Dataplane, or flowLogsFileEnabled: true in the " +
  "FelixConfiguration default, and let some time pass.";

/** What a collection consists of. */
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
