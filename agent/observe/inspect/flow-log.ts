import pc from "picocolors";
import { isWanted, type KeptFilter, readFilter } from "../../../model/flow/filter.ts";
import { flowLogLineText } from "../../../model/flow/line-text.ts";
import type { FlowLogLine } from "../../../model/flow/record.ts";
import { readEvents } from "../events/client.ts";
import type { LiveOptions } from "./live.ts";

export type { KeptFilter };

/** Prints the lines of this node's flow log. */
export async function printFlowLog({ json, runDirectory, ...filter }: LiveOptions & KeptFilter): Promise<void> {
  const wanted = readFilter(filter);
  const end = new AbortController();
  process.stdout.on("error", () => end.abort()); // the reader has gone
  await readEvents(
    runDirectory,
    "/flow-log",
    (record) => {
      const line = record as FlowLogLine;
      if (!isWanted(line, wanted)) return;
      console.log(json ? JSON.stringify(line) : flowLogLineText(line, pc));
    },
    end.signal,
  );
}
