import { readEvents } from "../events/client.ts";

/** Prints what this node's agent reports about itself, one JSON object per line. */
export function printRecords(kind: "metrics" | "settings", runDirectory: string): Promise<void> {
  const print = (record: unknown) => console.log(JSON.stringify(record));
  return readEvents(runDirectory, `/${kind}`, print, new AbortController().signal);
}
