import { readEvents } from "../events/client.ts";
import { nodeStatusSchema } from "../status/node-status.ts";
import { statusLines } from "../status/status-lines.ts";

/** Asks this node's agent for the state of the node. */
export async function printStatus(options: { readonly json?: boolean; readonly runDirectory: string }): Promise<void> {
  const print = (answer: unknown) => {
    if (options.json) console.log(JSON.stringify(answer));
    else console.log(statusLines([nodeStatusSchema.parse(answer)]).join("\n"));
  };
  await readEvents(options.runDirectory, "/status", print, new AbortController().signal);
}
