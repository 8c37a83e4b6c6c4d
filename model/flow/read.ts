import { asText } from "../printable.ts";
import { type FlowLogLine, flowLogLine } from "./record.ts";

/** Reads the lines of a flow log, without what a terminal would obey: a rule may have any name. Lines that a later version wrote in another form, and one that is cut off at the end, are counted.
 * @throws Error with a one-sentence message if the text is not a flow log */
export function readFlowLog(text: string): { lines: FlowLogLine[]; unreadable: number } {
  const written = text.split("\n").filter((line) => line.trim() !== "");
  const lines = written.flatMap((line) => readLine(line) ?? []);
  if (lines.length === 0)
    throw new Error(written.length === 0 ? "it is empty: no flow was seen" : "it has no line of a flow log");
  return { lines, unreadable: written.length - lines.length };
}

function readLine(text: string): FlowLogLine | undefined {
  try {
    return flowLogLine.safeParse(asText(JSON.parse(text))).data;
  } catch {
    return undefined;
  }
}
